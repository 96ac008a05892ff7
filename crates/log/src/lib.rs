//! x
#![allow(dead_code)]
pub mod entry; mod codec; mod block; mod segment; mod footer;
