//! The calls, each a method of [`Client`](crate::Client), with the types of their answers.

mod access;
mod cluster;
mod nodes;

pub use access::Permissions;
pub use cluster::{ClusterInfo, ClusterStatus, Guest, GuestKind, Member, NodeState, Resources, StorageState, Version};
pub use nodes::{CpuInfo, Node, NodeStatus, Usage};
