//! Every `code` that a problem document, a target of a job or a refused agent can have, with its title. docs/errors.md says
//! what each means and what to do; tests keep this list, that page and the code together.

/// All codes in alphabetical order.
pub const CODES: &[(&str, &str)] = &[
    ("agent_lost", "The agent went offline at work"),
    ("agent_online", "The agent is online"),
    ("agent_program_missing", "There is no agent program to install"),
    ("agent_protocol", "The agent is too old or too new"),
    ("agent_removed", "The agent was removed"),
    ("agent_url_missing", "The address for agents is not set"),
    ("already_scanning", "A scan is under way"),
    ("bad_request", "The request cannot be understood"),
    ("bad_signature", "The agent is not who it says"),
    ("body_too_large", "The body is too large"),
    ("busy", "Many agents connect at once"),
    ("cancelled", "The job was stopped"),
    ("cannot_reach", "The guest cannot reach Muster"),
    ("certificate_changed", "A certificate changed"),
    ("clock_skew", "A clock is wrong"),
    ("cluster_known", "The cluster is already there"),
    ("cluster_paused", "The cluster is paused"),
    ("console_busy", "The console is in use"),
    ("console_ended", "The console broke off"),
    ("console_login", "The console shows no shell"),
    ("console_no_shell", "There is no usable shell"),
    ("console_refused", "The console let nobody in"),
    ("console_token_refused", "The console takes no token"),
    ("cross_site", "The request comes from another site"),
    ("damaged", "A file arrived damaged"),
    ("enrolment_failed", "The agent could not enrol"),
    ("expired", "The command came too late"),
    ("forbidden", "The role is too small"),
    ("garbage", "The answer makes no sense"),
    ("gave_up", "Too many tries"),
    ("gone", "The guest is gone"),
    ("guest_busy", "Other work goes on in the guest"),
    ("guest_failed", "It did not work in the guest"),
    ("guest_slow", "The guest is too slow"),
    ("idempotency_in_progress", "The first request is still at work"),
    ("idempotency_key_reused", "The key was used for another request"),
    ("init_unsupported", "There is no service manager"),
    ("install_failed", "The installation failed"),
    ("internal", "Something failed inside Muster"),
    ("interrupted", "The work was interrupted"),
    ("invalid", "The input is not valid"),
    ("invalid_json", "The body is not JSON"),
    ("invalid_query", "The query is not valid"),
    ("job_over", "The job has ended"),
    ("last_admin", "The last admin stays"),
    ("line_expired", "The line has expired"),
    ("line_replaced", "A newer line was made"),
    ("link_invalid", "The link does not work"),
    ("locked", "Something holds a lock"),
    ("method_not_allowed", "The address does not take this method"),
    ("missing_right", "The PVE token lacks a right"),
    ("name_taken", "The name is taken"),
    ("needs_a_person", "Tokens cannot do this"),
    ("no_agent", "There is no agent"),
    ("no_agent_for_architecture", "There is no agent for this architecture"),
    ("no_check_in", "The agent did not connect"),
    ("no_http_client", "The guest cannot fetch"),
    ("no_login", "There is no user with a password"),
    ("no_quorum", "The cluster has no quorum"),
    ("no_reach", "No way into the guest"),
    ("no_space", "There is too little space"),
    ("no_such_route", "There is nothing at this address"),
    ("node_down", "A node does not answer its cluster"),
    ("not_backed_up", "A guest is in no backup job"),
    ("not_found", "There is no such thing"),
    ("not_root", "Commands do not run as root"),
    ("nothing_to_do", "There is nothing to do"),
    ("nothing_to_retry", "Nothing to try again"),
    ("paste_line", "A line waits to be pasted"),
    ("paused", "The guest is paused"),
    ("program_does_not_run", "The agent does not run there"),
    ("program_not_placed", "The agent could not be fetched"),
    ("protocol_too_new", "The agent is too new"),
    ("protocol_too_old", "The agent is too old"),
    ("pve_answer_too_large", "The answer of PVE is too large"),
    ("pve_answer_unreadable", "The answer of PVE makes no sense"),
    ("pve_lacks_call", "This PVE lacks a call"),
    ("pve_no_answer", "PVE broke the connection"),
    ("pve_refused", "PVE refused"),
    ("pve_slow", "PVE is too slow"),
    ("pve_tls", "No trusted connection to PVE"),
    ("pve_unreachable", "PVE cannot be reached"),
    ("qemu_agent_off", "The QEMU guest agent is off"),
    ("qemu_agent_silent", "The QEMU guest agent is silent"),
    ("quarantined", "The agent's key is used twice"),
    ("refused", "The agent refused"),
    ("restart_awaited", "A restart is awaited"),
    ("restart_failed", "The restart failed"),
    ("restored", "The database was restored from a backup"),
    ("script_outdated", "The script is no longer current"),
    ("secret_unreadable", "A stored secret does not open"),
    ("service_failed", "The service does not start"),
    ("setup_link_invalid", "The setup link does not work"),
    ("sign_in_needed", "Nobody is signed in"),
    ("stale", "The guest's state is old"),
    ("standby", "Another server is active"),
    ("status_unknown", "The guest's status is unknown"),
    ("stopped", "The guest is stopped"),
    ("storage_full", "A storage is nearly full"),
    ("task_failed", "A task of PVE failed"),
    ("template", "The guest is a template"),
    ("timed_out", "It took too long"),
    ("token_expired", "The line has expired"),
    ("token_other_guest", "The line is for another guest"),
    ("token_refused", "PVE refuses the token"),
    ("token_unknown", "The line is not known"),
    ("token_used", "The line has been used"),
    ("too_many_tries", "Too many tries"),
    ("tool_failed", "A tool in the guest failed"),
    ("unknown_agent", "The agent is not known"),
    ("unsupported", "The guest is not supported"),
    ("unsupported_media_type", "The body has the wrong type"),
    ("unsupported_system", "The system is not supported"),
    ("way_closed", "The way is closed"),
    ("wrong_credentials", "Name or password is wrong"),
];

/// The title of a code.
pub fn title(code: &str) -> &'static str {
    match CODES.binary_search_by_key(&code, |(name, _)| name) {
        Ok(at) => CODES[at].1,
        Err(_) => "Error",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    }

    /// Finds `code: "…"` and `Problem::new(…, "…"` in our sources, so that no code can be used without being listed.
    #[test]
    fn every_code_in_the_sources_is_listed() -> anyhow::Result<()> {
        let mut found = BTreeSet::new();
        read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found)?;
        let listed: BTreeSet<String> = CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
        assert!(found.contains("not_found"), "the search finds what is there");
        assert_eq!(found.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new());
        Ok(())
    }

    fn read_folder(folder: &Path, found: &mut BTreeSet<String>) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                read_folder(&path, found)?;
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path)?;
                let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
                for piece in code
                    .split("code: \"")
                    .skip(1)
                    .chain(code.split("StatusCode::").skip(1).filter_map(quoted))
                {
                    found.extend(piece.split('"').next().map(str::to_owned));
                }
            }
        }
        Ok(())
    }

    /// What stands after `StatusCode::NAME, "`.
    fn quoted(piece: &str) -> Option<&str> {
        let (name, rest) = piece.split_once(", \"")?;
        name.chars().all(|c| c.is_ascii_uppercase() || c == '_').then_some(rest)
    }
}
