//! One target, from the way in to the agent's check-in. Every step may be done again: after the way broke off, or after the
//! server died, the target begins anew, and what is in place already is found so.

use std::time::Duration;

use muster_domain::eligible::{Install, for_install};
use muster_domain::install::{Delivery, Fitness, InstallStep, judge};
use muster_domain::reach::Transport;
use muster_domain::{GuestId, TargetId};
use muster_packages::install::{Host, preflight_script};
use muster_store::agents::AgentRow;
use muster_store::guests::GuestRow;
use muster_store::job_targets::TargetRow;

use super::by_hand::{fail, leave_to_person, succeed};
use super::consoles;
use super::steps::Guest;
use crate::agents::Program;
use crate::app::agents::InstallScripts;
use crate::app::installs::Wanted;
use crate::jobs::entering::{Entered, Entry, Passed, Purpose, most_telling};
use crate::jobs::{JobContext, JobError, Step};
use crate::reach::{Kind, Obstacle, Preflight};

/// How long the first look at a guest may take; trying to reach Muster from there is the longest part of it.
const LOOK_WITHIN: Duration = Duration::from_secs(90);
/// How often an installation is begun in all, when the way breaks off or somebody is in it.
const ATTEMPTS: u32 = 4;
/// The pause before the next one.
const PAUSE: Duration = Duration::from_secs(10);

/// How one attempt ended, when not well.
pub(super) enum Trouble {
    /// It cannot work: a stable code, and what is and what to do.
    Final(String, String),
    /// No way leads in.
    Shut(Vec<Passed>),
    /// Worth another attempt.
    Again(Obstacle),
    /// Something of our own.
    Job(JobError),
}

impl From<JobError> for Trouble {
    fn from(error: JobError) -> Trouble {
        Trouble::Job(error)
    }
}

impl From<Obstacle> for Trouble {
    fn from(obstacle: Obstacle) -> Trouble {
        match obstacle.kind {
            Kind::Busy | Kind::Lost => Trouble::Again(obstacle),
            Kind::Closed | Kind::Failed => Trouble::Final(obstacle.code.to_owned(), obstacle.detail),
        }
    }
}

/// Brings one target to its end, or to the person who has its line.
pub(super) async fn install(job: &JobContext, mut target: TargetRow, wanted: Wanted) -> Result<(), JobError> {
    let Some(row) = guest(job, &target).await? else {
        return fail(job, &target, "gone", "The guest no longer exists.").await;
    };
    let holder = target.id;
    let work = Box::pin(work(job, &mut target, wanted));
    match job.alone_in(GuestId(row.id), holder, work).await? {
        Some(()) => Ok(()),
        None => {
            let detail = "Other work in the guest did not end in time: try again later.";
            fail(job, &target, "guest_busy", detail).await
        }
    }
}

async fn work(job: &JobContext, target: &mut TargetRow, wanted: Wanted) -> Result<(), JobError> {
    // A container that was just restarted may have no network yet.
    let mut restarted = false;
    for attempt in 1.. {
        let tried = tokio::select! {
            tried = attempt_once(job, target, wanted, &mut restarted) => tried,
            // A restarted server goes on; a person who stops the job is heard between the steps.
            () = job.app.lifecycle.stopping().cancelled_owned() => return Err(JobError::Stopped),
        };
        let obstacle = match tried {
            Ok(()) => return Ok(()),
            Err(Trouble::Job(error)) => return Err(error),
            Err(Trouble::Final(code, detail)) if restarted && code == "cannot_reach" => {
                Obstacle::lost("cannot_reach", detail)
            }
            Err(Trouble::Final(code, detail)) => return fail(job, target, &code, &detail).await,
            Err(Trouble::Shut(passed)) => match most_telling(&passed) {
                Some(obstacle) if matches!(obstacle.kind, Kind::Busy | Kind::Lost) => obstacle.clone(),
                _ => return shut(job, target, &passed).await,
            },
            Err(Trouble::Again(obstacle)) => obstacle,
        };
        if attempt == ATTEMPTS {
            return fail(job, target, obstacle.code, &obstacle.detail).await;
        }
        let line = format!("{} Trying again in {} s.", obstacle.detail, PAUSE.as_secs());
        job.log("warning", Some(target), &line).await?;
        tokio::select! {
            () = job.stop.cancelled() => return Err(JobError::Stopped),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    Ok(())
}

/// No way leads in: a person has a line, or the target fails with the reason of every way.
async fn shut(job: &JobContext, target: &mut TargetRow, passed: &[Passed]) -> Result<(), JobError> {
    if leave_to_person(job, target, !passed.is_empty()).await? {
        return Ok(());
    }
    let told: Vec<String> = passed.iter().map(Passed::to_string).collect();
    let code = match passed {
        [only] => only.obstacle.code,
        _ => "no_reach",
    };
    let detail = match told.is_empty() {
        true => "No way leads into the guest: try again for a line to paste.".to_owned(),
        false => told.join(" "),
    };
    fail(job, target, code, &detail).await
}

async fn attempt_once(
    job: &JobContext,
    target: &mut TargetRow,
    wanted: Wanted,
    restarted: &mut bool,
) -> Result<(), Trouble> {
    let Some(row) = guest(job, target).await? else {
        return Err(Trouble::Final(
            "gone".to_owned(),
            "The guest no longer exists.".to_owned(),
        ));
    };
    if let Some(agent) = arrived(job, &row, wanted).await? {
        return Ok(succeed(job, target, &agent).await?);
    }
    let state = row.state().map_err(JobError::from)?;
    let plan = for_install(&state, wanted.again, wanted.opens_consoles())
        .map_err(|left| Trouble::Final(left.code.to_owned(), left.detail))?;
    if plan.opens_console {
        start(
            job,
            target,
            InstallStep::Console,
            "Making the console show a shell.",
            None,
        )
        .await?;
        consoles::open(job, target, &row, wanted.consoles).await?;
        *restarted = true;
    }
    if plan.ways.is_empty() {
        return Err(Trouble::Shut(Vec::new()));
    }
    let scripts = job.app.install_scripts().await.map_err(JobError::from)?;
    let work = format!("/tmp/.muster-{}", &TargetId(target.id).0.simple().to_string()[20..]);
    let entered = look(job, target, &row, &plan, &scripts, &work).await?;
    let mut guest = Guest {
        job,
        shell: entered.shell,
        row: &row,
        scripts: &scripts,
        work,
    };
    let done = bring(&mut guest, target, entered.transport, &entered.report, wanted).await;
    guest.clean_up(target).await?;
    guest.shell.leave().await;
    match done {
        Ok(agent) => Ok(succeed(job, target, &agent).await?),
        Err(trouble) => Err(trouble),
    }
}

/// Finds the way in, and looks at the guest through it.
async fn look(
    job: &JobContext,
    target: &mut TargetRow,
    row: &GuestRow,
    plan: &Install,
    scripts: &InstallScripts,
    work: &str,
) -> Result<Entered<Host>, Trouble> {
    start(
        job,
        target,
        InstallStep::Preflight,
        "Looking for a way into the guest.",
        None,
    )
    .await?;
    let script = preflight_script(&scripts.made_of, work).map_err(|error| {
        Trouble::Final(
            "agent_url_missing".to_owned(),
            format!("The address of Muster: {error}."),
        )
    })?;
    let purpose = Purpose {
        word: "install",
        verb: &Preflight { script },
        within: LOOK_WITHIN,
    };
    let entered = match job.go_in(target, row, &plan.ways, &purpose).await? {
        Entry::In(entered) => entered,
        Entry::Shut(passed) => return Err(Trouble::Shut(passed)),
    };
    match entered.report {
        Ok(report) => Ok(Entered {
            shell: entered.shell,
            transport: entered.transport,
            report,
        }),
        Err(error) => {
            entered.shell.leave().await;
            Err(Trouble::Final(
                "garbage".to_owned(),
                format!("The guest's answer is not understood: {error}."),
            ))
        }
    }
}

/// Everything from the verdict over the guest to the agent's check-in.
async fn bring(
    guest: &mut Guest<'_>,
    target: &mut TargetRow,
    transport: Transport,
    host: &Host,
    wanted: Wanted,
) -> Result<AgentRow, Trouble> {
    let job = guest.job;
    let programs = job.app.agent_programs().await.map_err(JobError::from)?;
    let delivery = fit(host, &programs, &guest.scripts.made_of.agent_url)?;
    let seen = format!(
        "By {}: {}, {}, {}; {}.",
        transport.label(),
        host.arch,
        host.init,
        host.libc,
        host.present.as_deref().unwrap_or("no agent")
    );
    job.log("info", Some(target), &seen).await?;

    start(
        job,
        target,
        InstallStep::Token,
        "Making a one-time token.",
        Some(transport),
    )
    .await?;
    let token = guest.permit(target).await?;
    start(
        job,
        target,
        InstallStep::Script,
        "Bringing the install script in.",
        None,
    )
    .await?;
    guest.bring_script(&token).await?;
    let line = match delivery {
        Delivery::Fetched => "The guest fetches the agent program.",
        Delivery::Brought => "The guest cannot fetch: bringing the agent program in.",
    };
    start(job, target, InstallStep::Program, line, None).await?;
    let program = programs.iter().find(|program| program.arch == host.arch);
    guest
        .place_program(program.filter(|_| delivery == Delivery::Brought))
        .await?;
    start(
        job,
        target,
        InstallStep::Service,
        "Enrolling the agent and starting its service.",
        None,
    )
    .await?;
    guest.serve().await?;
    start(
        job,
        target,
        InstallStep::CheckIn,
        "Waiting for the agent to connect.",
        None,
    )
    .await?;
    let agent = guest.check_in(|agent| is_new(job, agent), wanted).await?;
    start(
        job,
        target,
        InstallStep::CleanUp,
        "Removing what was brought in besides.",
        None,
    )
    .await?;
    Ok(agent)
}

fn fit(host: &Host, programs: &[Program], agent_url: &str) -> Result<Delivery, Trouble> {
    if let Some(problem) = &host.work_problem {
        let detail = format!("The guest has no place for the install script: {problem}.");
        return Err(Trouble::Final("guest_failed".to_owned(), detail));
    }
    let arches: Vec<&str> = programs.iter().map(|program| program.arch).collect();
    let fitness = Fitness {
        root: host.uid == 0,
        arch: &host.arch,
        init: &host.init,
        free_kib: host.free_kib,
        fetches: host.fetches,
        reaches_muster: host.reaches_muster,
    };
    judge(&fitness, &arches, agent_url).map_err(|left| Trouble::Final(left.code.to_owned(), left.detail))
}

/// Stores that a step begins. Somebody who stops the job is heard here.
async fn start(
    job: &JobContext,
    target: &mut TargetRow,
    step: InstallStep,
    line: &str,
    by: Option<Transport>,
) -> Result<(), JobError> {
    if job.stop.is_cancelled() {
        return Err(JobError::Stopped);
    }
    let step = Step::start(step.as_str(), line);
    let step = match by {
        Some(transport) => step.by(transport),
        None => step,
    };
    match job.advance(target, step).await? {
        true => Ok(()),
        false => Err(JobError::Stopped),
    }
}

/// The agent that this job has brought in, or one that was there and serves as well.
async fn arrived(job: &JobContext, row: &GuestRow, wanted: Wanted) -> Result<Option<AgentRow>, JobError> {
    let agent = job.app.store.read().await?.agent_of(GuestId(row.id)).await?;
    let online = row.agent_state == "online";
    Ok(agent.filter(|agent| online && (!wanted.again || is_new(job, agent))))
}

fn is_new(job: &JobContext, agent: &AgentRow) -> bool {
    agent.enrolled_at >= job.job.created_at
}

async fn guest(job: &JobContext, target: &TargetRow) -> Result<Option<GuestRow>, JobError> {
    let Some(id) = target.guest_id else { return Ok(None) };
    let row = job.app.store.read().await?.guest(GuestId(id)).await?;
    Ok(row.filter(|row| row.gone_at.is_none()))
}
