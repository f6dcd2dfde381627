//! The server is killed over jobs in every state and started again: each target ends once, and nothing runs twice.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use muster::app::installs::Wanted;
use muster::app::selection::Selection;
use muster::app::{App, Error};
use muster_domain::install::Consoles;
use muster_domain::job::{JobState, TargetState, Work};
use muster_domain::{ClusterId, GuestId, JobId, TargetId};
use muster_store::job_targets::{TargetMove, TargetRow};
use muster_store::jobs::{JobFilter, JobRow};
use proxmox_sim::{ClusterSpec, GuestSpec, Os, Scenario};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::agents::{Guest, ask_for_lines, install, lxc, scan};
use crate::harness::{Lab, MusterProcess, Place, assert_clean, can_run_agents, shell, simulate, wait_for};

/// Every kind of job. A new one makes the two tables below fail to compile, and then belongs in here.
const KINDS: [Work; 3] = [
    Work::Discover {
        cluster: ClusterId(Uuid::nil()),
        trigger: String::new(),
    },
    Work::Scan,
    Work::Install {
        again: false,
        consoles: Consoles::Leave,
    },
];

/// Whether a job of that kind is ever in that state.
fn occurs(work: &Work, state: JobState) -> bool {
    use JobState as S;
    match (work, state) {
        (_, S::Queued | S::Running | S::Succeeded | S::Failed | S::Cancelled) => true,
        (Work::Scan | Work::Install { .. }, S::Partly) => true,
        // It has one target.
        (Work::Discover { .. }, S::Partly) => false,
    }
}

/// Whether a target of that kind of job is ever in that state.
fn target_occurs(work: &Work, state: TargetState) -> bool {
    use TargetState as S;
    match (work, state) {
        (_, S::Queued | S::Running | S::Succeeded | S::Failed | S::Cancelled) => true,
        (Work::Install { .. }, S::Waiting | S::Skipped) | (Work::Scan, S::Skipped) => true,
        (Work::Scan | Work::Discover { .. }, S::Waiting) | (Work::Discover { .. }, S::Skipped) => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_survives_a_killed_server() -> Result<()> {
    if !can_run_agents("every_job_survives_a_killed_server") {
        return Ok(());
    }
    survives(Place::on_sqlite()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_survives_a_killed_server_on_postgres() -> Result<()> {
    if !can_run_agents("every_job_survives_a_killed_server_on_postgres") {
        return Ok(());
    }
    survives(Place::on_postgres().await?).await
}

async fn survives(place: Place) -> Result<()> {
    let (lab, mut muster) = (clusters()?, MusterProcess::start(place).await?);
    let stage = Stage::set(&lab, &muster).await?;
    let running = stage.leave_running(&lab, &muster).await?;

    muster.kill()?;
    let app = muster.inside().await?;
    let queued = stage.leave_queued(&app).await?;
    let before = Jobs::of(&app).await?;
    before.are_in_every_state()?;
    app.store.close().await;
    // What waits outside goes on while nobody listens: the agent ends its scan and keeps the answer.
    lab.ctl("fault clear --cluster slow")?;
    let [holder, ..] = stage.guests(&lab);
    holder.open_gate()?;
    wait_for("an answer in the agent's hands", async || {
        Ok((holder.sh("ls /var/lib/muster-agent/outcomes")?.lines().count() == 1).then_some(()))
    })
    .await?;

    muster.start_again().await?;
    for line in running.into_iter().chain(queued) {
        let (exit, said) = lab.on_node("lab", "pve1", &line)?;
        ensure!(exit == 0, "{said}");
    }
    for job in &before.open() {
        muster.ended(&json!({ "id": job })).await?;
    }
    let app = muster.inside().await?;
    let after = Jobs::of(&app).await?;
    before.ended_once(&after)?;
    for guest in stage.guests(&lab) {
        let begun = after.begun("scan", guest);
        assert_eq!(
            guest.scans()?,
            begun,
            "scans of {} in it, and by the server's book",
            guest.name()
        );
    }
    assert_clean(&app).await
}

/// One cluster with guests, one that takes for ever to answer, and one that refuses.
fn clusters() -> Result<Lab> {
    let guests = (100..108).map(|vmid| lxc(vmid, Os::Debian)).collect::<Vec<_>>();
    let stopped = lxc(108, Os::Debian).stopped();
    let single =
        |name, guests: Vec<GuestSpec>| ClusterSpec::new(name, name).standalone().nodes(["pve1"]).guests(guests);
    simulate(
        Scenario::Custom(vec![
            single("lab", [guests, vec![stopped]].concat()),
            single("slow", Vec::new()),
            single("broken", Vec::new()),
        ]),
        false,
    )
}

/// What was made ready: agents in the first three guests, jobs in every state in which a job can be over.
struct Stage {
    slow: String,
    lab: ClusterId,
    ids: BTreeMap<u32, GuestId>,
}

impl Stage {
    /// The three guests with agents: one whose scans work, one whose scans fail, one that was never scanned.
    fn guests<'a>(&self, lab: &'a Lab) -> [Guest<'a>; 3] {
        [100, 101, 102].map(|vmid| Guest::of(lab, vmid))
    }

    async fn set(lab: &Lab, muster: &MusterProcess) -> Result<Stage> {
        let mut clusters = Vec::new();
        for cluster in lab.clusters() {
            clusters.push(muster.add(cluster).await?);
        }
        muster.set_agent_url(&muster.url).await?;
        let mut ids = BTreeMap::new();
        for vmid in 100..109 {
            ids.insert(vmid, Guest::of(lab, vmid).id(muster).await?.parse()?);
        }
        let stage = Stage {
            slow: clusters[1].clone(),
            lab: clusters[0].parse()?,
            ids,
        };
        stage.end_installations(lab, muster).await?;
        stage.end_scans(lab, muster).await?;
        end_discoveries(lab, muster, &clusters).await?;
        Ok(stage)
    }

    /// Installations that succeeded, failed, did both and skipped, and were cancelled.
    async fn end_installations(&self, lab: &Lab, muster: &MusterProcess) -> Result<()> {
        let guest = |vmid| Guest::of(lab, vmid);
        install(muster, lab, &[guest(100)]).await?;
        let some = ask_for_lines(muster, &[guest(101), guest(102), guest(103), guest(108)], false).await?;
        is_waiting(muster, &some["job"]).await?;
        let remove = format!("/api/v1/guests/{}/agent", self.ids[&103]);
        muster
            .send(Method::DELETE, &remove, None)
            .await?
            .expect(StatusCode::OK)?;
        let (_, said) = lab.on_node("lab", "pve1", line(&some)?)?;
        ensure!(said.contains("2 installed, 1 failed"), "{said}");
        assert_eq!(muster.ended(&some["job"]).await?["state"], "partly");

        let unused = ask_for_lines(muster, &[guest(103)], false).await?;
        is_waiting(muster, &unused["job"]).await?;
        muster
            .send(Method::DELETE, &remove, None)
            .await?
            .expect(StatusCode::OK)?;
        assert_eq!(muster.ended(&unused["job"]).await?["state"], "failed");
        let unwanted = ask_for_lines(muster, &[guest(103)], false).await?;
        cancel(muster, &unwanted["job"]).await
    }

    /// The same with scans.
    async fn end_scans(&self, lab: &Lab, muster: &MusterProcess) -> Result<()> {
        let [works, fails, other] = self.guests(lab);
        for guest in [works, fails, other] {
            guest.close_gate()?;
            guest.open_gate()?;
        }
        fails.sh("touch /root/broken")?;
        for (guests, state) in [(&[works][..], "succeeded"), (&[fails], "failed")] {
            let job = scan(muster, guests).await?;
            assert_eq!(muster.ended(&job).await?["state"], state);
        }
        let job = scan(muster, &[works, fails, Guest::of(lab, 108)]).await?;
        assert_eq!(muster.ended(&job).await?["state"], "partly");
        works.close_gate()?;
        let job = scan(muster, &[works]).await?;
        works.has_begun(3).await?;
        cancel(muster, &job).await?;
        works.open_gate()?;
        Ok(())
    }

    /// Leaves a discovery, a scan and an installation under way. Answers the line that the installation waits for.
    async fn leave_running(&self, lab: &Lab, muster: &MusterProcess) -> Result<Vec<String>> {
        let job = discover(muster, &self.slow).await?;
        wait_for("the discovery to begin", async || {
            let targets = muster.targets(&job).await?;
            Ok(targets
                .values()
                .any(|target| target["state"] == "running")
                .then_some(()))
        })
        .await?;
        let [works, ..] = self.guests(lab);
        works.close_gate()?;
        scan(muster, &[works]).await?;
        works.has_begun(4).await?;
        let waiting = ask_for_lines(muster, &[Guest::of(lab, 104)], false).await?;
        is_waiting(muster, &waiting["job"]).await?;
        Ok(vec![line(&waiting)?.to_owned()])
    }

    /// The server accepts jobs and dies before it has begun them; one of them it had begun, and had written no more than that.
    async fn leave_queued(&self, app: &App) -> Result<Vec<String>> {
        let ctx = shell(app);
        let only = |vmid: u32| Selection {
            cluster: None,
            guests: Some(vec![self.ids[&vmid]]),
        };
        app.request_discovery(&ctx, self.lab).await?;
        app.bulk_scan(&ctx, &only(102), false).await?;
        let wanted = Wanted {
            again: false,
            consoles: Consoles::Leave,
        };
        let mut lines = Vec::new();
        for vmid in [105, 106] {
            let bulk = app.bulk_install(&ctx, &only(vmid), wanted, false).await?;
            lines.push(bulk.by_hand.context("lines")?.nodes[0].line.clone());
            if vmid == 106 {
                begin(app, JobId(bulk.job.context("a job")?.id)).await?;
            }
        }
        Ok(lines)
    }
}

/// Discoveries that succeeded, failed and were cancelled.
async fn end_discoveries(lab: &Lab, muster: &MusterProcess, clusters: &[String]) -> Result<()> {
    lab.ctl("fault set --cluster broken --name refuse")?;
    for (cluster, state) in [(&clusters[0], "succeeded"), (&clusters[2], "failed")] {
        let job = discover(muster, cluster).await?;
        assert_eq!(muster.ended(&job).await?["state"], state);
    }
    lab.ctl("fault set --cluster slow --name slow --arg 600000")?;
    let job = discover(muster, &clusters[1]).await?;
    cancel(muster, &job).await
}

async fn discover(muster: &MusterProcess, cluster: &str) -> Result<Value> {
    let path = format!("/api/v1/proxmox/clusters/{cluster}/discover");
    Ok(muster.post(&path, &json!({})).await?.expect(StatusCode::ACCEPTED)?["job"].clone())
}

async fn cancel(muster: &MusterProcess, job: &Value) -> Result<()> {
    let path = format!("/api/v1/jobs/{}/cancel", job["id"].as_str().context("an id")?);
    muster.post(&path, &json!({})).await?.expect(StatusCode::ACCEPTED)?;
    assert_eq!(muster.ended(job).await?["state"], "cancelled");
    Ok(())
}

/// Waits until the installation waits for its lines.
async fn is_waiting(muster: &MusterProcess, job: &Value) -> Result<()> {
    wait_for("the wait for the line", async || {
        let targets = muster.targets(job).await?;
        let open = |target: &&Value| !matches!(target["state"].as_str(), Some("waiting" | "skipped"));
        Ok((!targets.values().any(|target| open(&target))).then_some(()))
    })
    .await
}

fn line(asked: &Value) -> Result<&str> {
    asked["by_hand"]["nodes"][0]["line"].as_str().context("a line")
}

/// Writes what a server writes first when it begins with the target of a job.
async fn begin(app: &App, job: JobId) -> Result<()> {
    let begun: Result<bool, Error> = muster_store::write!(app.store, tx => {
        let target = tx.targets_of(job).await?.remove(0);
        let change = TargetMove {
            from: TargetState::Queued,
            to: TargetState::Running,
            step: Some("check_in"),
            reason: None,
            memo: None,
            result: None,
            transport: None,
            begins: true,
            at: app.clock.now(),
        };
        Ok(tx.move_target(TargetId(target.id), &change).await?)
    });
    ensure!(begun?, "the target was queued");
    Ok(())
}

/// All jobs with their targets, as the database has them.
struct Jobs(Vec<(JobRow, Vec<TargetRow>)>);

impl Jobs {
    async fn of(app: &App) -> Result<Jobs> {
        let ctx = shell(app);
        let mut jobs = Vec::new();
        for job in app.jobs_page(&ctx, &JobFilter::default(), 1000).await? {
            let targets = app.job_targets(&ctx, JobId(job.id)).await?;
            jobs.push((job, targets));
        }
        Ok(Jobs(jobs))
    }

    /// Fails when a state that occurs is not there.
    fn are_in_every_state(&self) -> Result<()> {
        for work in &KINDS {
            let kind = work.kind();
            let of_kind = || self.0.iter().filter(|(job, _)| job.kind == kind);
            for state in JobState::ALL.iter().filter(|state| occurs(work, **state)) {
                let found = of_kind().any(|(job, _)| job.state == state.as_str());
                ensure!(found, "no {kind} is {} when the server dies", state.as_str());
            }
            for state in TargetState::ALL.iter().filter(|state| target_occurs(work, **state)) {
                let found = of_kind().any(|(_, targets)| targets.iter().any(|target| target.state == state.as_str()));
                ensure!(
                    found,
                    "no target of a {kind} is {} when the server dies",
                    state.as_str()
                );
            }
        }
        Ok(())
    }

    fn open(&self) -> Vec<Uuid> {
        let open = |job: &&(JobRow, Vec<TargetRow>)| job.0.finished_at.is_none();
        self.0.iter().filter(open).map(|(job, _)| job.id).collect()
    }

    /// What was over has not been touched; everything else has ended well, begun once. Nothing is missing.
    fn ended_once(&self, after: &Jobs) -> Result<()> {
        for (job, targets) in &self.0 {
            let later = after.0.iter().find(|(later, _)| later.id == job.id);
            let (later_job, later_targets) = later.with_context(|| format!("{} is lost", job.title))?;
            if job.finished_at.is_some() {
                assert_eq!((job, targets), (later_job, later_targets));
                continue;
            }
            assert_eq!(later_job.state, JobState::Succeeded.as_str(), "{later_job:?}");
            assert_eq!(targets.len(), later_targets.len());
            for target in later_targets {
                assert_eq!(target.state, TargetState::Succeeded.as_str(), "{target:?}");
                assert!(target.attempt <= 1 && target.result.is_some(), "{target:?}");
            }
        }
        Ok(())
    }

    /// How often work of that kind was begun in a guest.
    fn begun(&self, kind: &str, guest: Guest<'_>) -> usize {
        let of_kind = self.0.iter().filter(|(job, _)| job.kind == kind);
        let targets = of_kind.flat_map(|(_, targets)| targets);
        targets
            .filter(|target| target.name == guest.name() && target.attempt > 0)
            .count()
    }
}
