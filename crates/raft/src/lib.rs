//! One replicated log per partition, as a pure step function.

mod config;
mod contract;
mod election;
mod group;
mod message;
mod progress;
mod sizes;
mod stored;
mod terms;
mod tickets;

pub use config::Config;
pub use contract::{Input, NEVER, Output, Outputs, Role, Source, Ticket};
pub use group::Group;
pub use message::{Body, Message, Position};
pub use stored::{BadStored, Stored};
