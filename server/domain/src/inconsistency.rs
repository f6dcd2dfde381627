//! What can be wrong with stored rows that a sound database never shows, and what each of it means.

use crate::fleet::words;

words! {
    /// What is wrong with a row.
    Inconsistency {
        /// It refers to a row that is gone.
        DanglingReference = "dangling_reference",
        /// Housekeeping should have dropped it.
        KeptTooLong = "kept_too_long",
        /// The job is over, a target of it is not.
        JobEndedWithOpenTargets = "job_ended_with_open_targets",
        /// The job is open, but nothing of it is left to do.
        JobWithoutOpenTargets = "job_without_open_targets",
        /// The job is due, and no server takes it.
        JobNotTaken = "job_not_taken",
        /// The server that held the job is silent, and no other took it.
        JobLeaseLapsed = "job_lease_lapsed",
        /// The job is over and still held.
        JobLeaseOfEnded = "job_lease_of_ended",
        /// The job's state and its end contradict each other.
        JobEndUnclear = "job_end_unclear",
        /// The target's state and its end contradict each other.
        TargetEndUnclear = "target_end_unclear",
        /// The target waits for a guest that is gone.
        TargetOfGoneGuest = "target_of_gone_guest",
        /// The command is for an agent that may not run it any more.
        CommandForReplacedAgent = "command_for_replaced_agent",
        /// The command's time has passed, and it is still open.
        CommandOverdue = "command_overdue",
        /// The command's work is over, and it is still open.
        CommandOfEndedWork = "command_of_ended_work",
        /// The command's state and its end contradict each other.
        CommandEndUnclear = "command_end_unclear",
        /// The server that was active is silent, and no other took over.
        ServerLeaseLapsed = "server_lease_lapsed",
        /// The line can be used though nobody waits for it any more.
        EnrolmentOfEndedWork = "enrolment_of_ended_work",
        /// The line can no longer be used, but a job still waits for it.
        EnrolmentExpired = "enrolment_expired",
        /// The guest is said to be enrolling, which it cannot.
        EnrollingInVain = "enrolling_in_vain",
        /// The guest is said to have an agent that there is not.
        AgentMissing = "agent_missing",
        /// The guest is said to have no agent, but there is one.
        AgentUnmentioned = "agent_unmentioned",
        /// The guest's node belongs to another cluster.
        NodeOfOtherCluster = "node_of_other_cluster",
        /// The guest's counts are not those of its updates.
        UpdatesMiscounted = "updates_miscounted",
        /// The guest's state and its last scan contradict each other.
        ScanContradicted = "scan_contradicted",
        /// The secret belongs to nobody.
        SecretWithoutOwner = "secret_without_owner",
        /// The cluster has no token.
        ClusterWithoutSecret = "cluster_without_secret",
        /// There are agents, but not the key they know the server by.
        ServerKeyMissing = "server_key_missing",
    }
}

impl Inconsistency {
    /// What it means and what to do, for people.
    pub const fn meaning(self) -> &'static str {
        use Inconsistency as I;
        match self {
            I::DanglingReference => {
                "It refers to a row that is gone: another program changed this database. Restore a backup, or delete the row."
            }
            I::KeptTooLong => {
                "Its time is over, but nothing has dropped it: start the server, which does so within an hour."
            }
            I::JobEndedWithOpenTargets => {
                "The job is over, but these targets would stay open for ever: start the work again, and report this as a bug."
            }
            I::JobWithoutOpenTargets => "Nothing is left to do, but the job has not ended: cancel it.",
            I::JobNotTaken => {
                "It is due, but no server has taken it: start one (`muster serve`). If one runs, its log says why it reads no jobs."
            }
            I::JobLeaseLapsed => {
                "The server that worked on it died: start one (`muster serve`), which goes on with it. If one runs, its log \
                 says why it does not."
            }
            I::JobLeaseOfEnded => "It is over, but still held by a server: harmless, but report it as a bug.",
            I::JobEndUnclear | I::TargetEndUnclear | I::CommandEndUnclear => {
                "Its state and the time of its end contradict each other, so it may never be dropped: report it as a bug."
            }
            I::TargetOfGoneGuest => "The guest is gone, but a job still waits for it: cancel the job.",
            I::CommandForReplacedAgent => {
                "Its agent was installed anew or is quarantined, so nobody may answer it: cancel its job."
            }
            I::CommandOverdue => {
                "Its time has passed, but nothing has ended it: start the server, which does so at once."
            }
            I::CommandOfEndedWork => {
                "Nobody waits for its answer any more, but the agent may still run it: it ends with its time. Report it as a bug."
            }
            I::ServerLeaseLapsed => {
                "The server that was active died without giving its place up: start one (`muster serve`)."
            }
            I::EnrolmentOfEndedWork => {
                "Its job is over, but the pasted line could still enrol an agent: remove the guest's agent to end the line."
            }
            I::EnrolmentExpired => "The line has expired, but a job still waits for it: cancel the job.",
            I::EnrollingInVain => "No line can enrol it any more: remove the guest's agent, then install it again.",
            I::AgentMissing => "The guest is shown with an agent that does not exist: install it again.",
            I::AgentUnmentioned => "The guest is shown without its agent: install it again.",
            I::NodeOfOtherCluster => {
                "Its node belongs to another cluster: another program changed this database. Restore a backup."
            }
            I::UpdatesMiscounted | I::ScanContradicted => {
                "What is shown of its updates is not what the last scan found: scan the guest again."
            }
            I::SecretWithoutOwner => "What it belonged to is gone: delete the row, and revoke the token in Proxmox VE.",
            I::ClusterWithoutSecret => "Muster cannot sign in there: enter the cluster's token again.",
            I::ServerKeyMissing => "No agent believes this server: restore a backup, or install the agents again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_every_meaning_says_what_to_do() {
        for fault in Inconsistency::ALL {
            assert_eq!(Inconsistency::parse(fault.as_str()), Some(*fault));
            let meaning = fault.meaning();
            assert!(meaning.ends_with('.') && meaning.contains(": "), "{fault}: {meaning}");
        }
    }
}
