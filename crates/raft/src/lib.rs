//! One replicated log per partition, as a pure step function.
