//! The calls, each a method of [`Client`](crate::Client), with the types of their answers.

mod access;
mod cluster;
mod exec;
mod guests;
mod lxc;
mod nodes;
mod packages;
mod qemu;
mod storage;
mod tasks;

pub use access::Permissions;
pub use cluster::{ClusterInfo, ClusterStatus, Guest, GuestKind, Member, NodeState, Resources, StorageState, Version};
pub use guests::{Address, ConfigView, GuestStatus, HighAvailability, Interface};
pub use lxc::{ConsoleMode, LxcConfig};
pub use nodes::{CpuInfo, Node, NodeStatus, Usage};
pub use packages::{AptUpdate, AptVersion};
pub use qemu::{OsInfo, QemuConfig};
pub use storage::{NotBackedUp, Storage};
pub use tasks::{LogLine, Task, TaskFilter, TaskSource, TaskStatus};
