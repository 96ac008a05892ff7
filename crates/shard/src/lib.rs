//! All that one core owns, and the one hop to it.
