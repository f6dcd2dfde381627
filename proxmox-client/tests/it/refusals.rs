//! Refusals of a real PVE, and what the client makes of them.

use anyhow::Result;
use proxmox_client::Error;

use crate::client;
use crate::server::{Reply, Server, bare, json};

async fn status_of(recording: &str) -> Result<Error> {
    let server = Server::replaying(recording).await?;
    let error = client(&[&server]).lxc_status("pve1", 999).await.expect_err("a refusal");
    assert_eq!(server.seen().len(), 1, "{recording} was asked again");
    Ok(error)
}

#[tokio::test]
async fn a_guest_that_is_not_on_the_node() -> Result<()> {
    for recording in ["err-ct-missing", "err-ct-missing-8.4.17", "err-vm-as-lxc"] {
        let error = status_of(recording).await?;
        assert!(error.is_missing_guest(), "{recording}: {error:?}");
    }
    for recording in [
        "err-node-unknown",
        "err-qemu-agent-exec-stopped",
        "err-no-permission-read",
    ] {
        let error = status_of(recording).await?;
        assert!(!error.is_missing_guest(), "{recording}: {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_privilege() -> Result<()> {
    let error = status_of("err-no-permission-read").await?;
    let Error::Denied {
        path,
        privilege,
        message,
        ..
    } = error
    else {
        anyhow::bail!("{error:?}")
    };
    assert_eq!(
        (path.as_deref(), privilege.as_deref()),
        (Some("/vms/100"), Some("VM.Audit"))
    );
    assert_eq!(message, "Permission check failed (/vms/100, VM.Audit)");
    Ok(())
}

#[tokio::test]
async fn a_number_that_is_taken_belongs_to_a_guest() -> Result<()> {
    let server = Server::replaying("cluster-nextid-taken").await?;
    assert!(client(&[&server]).guest_exists(100).await?);
    let server = Server::start(|_| json(r#"{"data":"101"}"#)).await?;
    assert!(!client(&[&server]).guest_exists(101).await?);
    let server = Server::replaying("err-unknown-param").await?;
    let error = client(&[&server]).guest_exists(101).await.expect_err("another refusal");
    assert!(matches!(error, Error::Rejected { status: 400, .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_accepted() -> Result<()> {
    for (recording, words) in [
        ("auth-none", "No ticket"),
        ("auth-token-bad-secret", "Authentication failed!"),
        ("auth-token-bad-secret-8.4.16", "invalid token value!"),
    ] {
        let error = status_of(recording).await?;
        assert!(
            matches!(&error, Error::Unauthenticated { message, .. } if message == words),
            "{error:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_does_not_exist() -> Result<()> {
    for recording in ["err-lxc-exec", "err-lxc-exec-8.4.17"] {
        let server = Server::replaying(recording).await?;
        let error = client(&[&server])
            .lxc_exec("pve1", 100, ["sh", "-c", "id & true"])
            .await
            .expect_err("501");
        assert!(
            matches!(&error, Error::NotImplemented { call: "lxc_exec", message }
                if message == "Method 'POST /nodes/pve1/lxc/100/exec' not implemented"),
            "{error:?}"
        );
        let request = &server.seen()[0];
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/api2/json/nodes/pve1/lxc/100/exec")
        );
        assert_eq!(request.body, "command=sh&command=-c&command=id+%26+true");
        assert_eq!(request.header("content-length"), Some("41"));
        assert_eq!(
            request.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_parameter_that_is_wrong() -> Result<()> {
    let error = status_of("err-task-unknown").await?;
    let Error::Rejected {
        status: 400,
        message,
        fields,
        ..
    } = &error
    else {
        anyhow::bail!("{error:?}")
    };
    assert_eq!(message, "Parameter verification failed.");
    assert_eq!(fields.get("upid").map(String::as_str), Some("no such task"));
    assert!(error.to_string().contains("upid: no such task"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_node_that_its_cluster_cannot_reach() -> Result<()> {
    for (recording, code, words) in [
        ("err-node-offline-refused", 595, "Connection refused"),
        ("err-node-offline-timeout", 595, "Connection timed out"),
        ("err-status-596-during-slow-start", 596, "Connection timed out"),
    ] {
        let error = status_of(recording).await?;
        assert!(
            matches!(&error, Error::NodeUnreachable { node, status, message, .. }
                if node == "pve1" && *status == code && message == words),
            "{error:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_command_that_may_have_reached_its_node() -> Result<()> {
    let server = Server::start(|_| bare("596 Broken pipe")).await?;
    let error = client(&[&server]).lxc_exec("pve1", 100, ["id"]).await.expect_err("596");
    assert!(
        matches!(&error, Error::Unknown { reason, .. } if reason == "596 Broken pipe"),
        "{error:?}"
    );

    let server = Server::start(|_| bare("595 Connection refused")).await?;
    let error = client(&[&server]).lxc_exec("pve1", 100, ["id"]).await.expect_err("595");
    assert!(
        matches!(&error, Error::NodeUnreachable { status: 595, .. }),
        "{error:?}"
    );
    assert_eq!(server.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn words_in_the_reason_phrase_only() -> Result<()> {
    let server = Server::start(|_| {
        let body = r#"{"data":null}"#;
        let head = "HTTP/1.1 500 Configuration file 'nodes/pve1/lxc/999.conf' does not exist\r\nConnection: close\r\n";
        Reply::Raw(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
    })
    .await?;
    let error = client(&[&server]).lxc_status("pve1", 999).await.expect_err("500");
    assert!(error.is_missing_guest(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn words_that_are_no_json() -> Result<()> {
    let error = status_of("err-json-body-bad").await?;
    assert!(matches!(&error, Error::Rejected { status: 500, message, .. } if message.contains("AnyEvent.pm")));

    let server = Server::start(|_| {
        Reply::Raw(b"HTTP/1.1 502 \r\nConnection: close\r\nContent-Length: 18\r\n\r\n<h1>bad proxy</h1>".to_vec())
    })
    .await?;
    let error = client(&[&server]).version().await.expect_err("502");
    assert!(
        matches!(&error, Error::Rejected { status: 502, message, .. } if message == "<h1>bad proxy</h1>"),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn redirects_are_not_followed() -> Result<()> {
    let server = Server::start(|_| {
        Reply::Raw(b"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nConnection: close\r\n\r\n".to_vec())
    })
    .await?;
    let error = client(&[&server]).version().await.expect_err("301");
    assert!(matches!(error, Error::Rejected { status: 301, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_guest_agents_own_refusal() -> Result<()> {
    let body =
        r#"{"data":{"result":{"error":{"class":"CommandDisabled","desc":"Command guest-get-osinfo is disabled"}}}}"#;
    let server = Server::start(move |_| json(body)).await?;
    let error = client(&[&server])
        .qemu_osinfo("pve1", 200)
        .await
        .expect_err("a refusal");
    assert!(
        matches!(&error, Error::Rejected { message, .. } if message == "Command guest-get-osinfo is disabled"),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn answers_that_are_not_what_was_asked() -> Result<()> {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"data":null}"#,
        r#"{"data":7}"#,
        r#"{"data":{"status":"running"}}"#,
    ] {
        let server = Server::start(move |_| json(body)).await?;
        let error = client(&[&server]).lxc_status("pve1", 100).await.expect_err("garbage");
        assert!(
            matches!(&error, Error::Decode { call: "lxc_status", path, .. }
                if path == "/nodes/pve1/lxc/100/status/current"),
            "{body}: {error:?}"
        );
    }
    let body = r#"{"data":[{"vmid":100,"status":"running"},{"vmid":"many","status":"running"}]}"#;
    let server = Server::start(move |_| json(body)).await?;
    let error = client(&[&server])
        .lxc_list("pve1")
        .await
        .expect_err("one entry is garbage");
    assert!(matches!(&error, Error::Decode { call: "lxc_list", .. }), "{error:?}");
    let body = r#"{"data":[{"type":"lxc","id":"lxc/9","vmid":9}]}"#;
    let server = Server::start(move |_| json(body)).await?;
    let error = client(&[&server]).resources().await.expect_err("a guest without node");
    assert!(
        matches!(&error, Error::Decode { reason, .. } if reason.contains("lxc/9")),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn bad_arguments_are_not_sent() -> Result<()> {
    let server = Server::replaying("node-status").await?;
    let client = client(&[&server]);
    for node in ["", ".", ".."] {
        let error = client.node_status(node).await.expect_err("not a node");
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
    client.node_status("../storage").await?;
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].target, "/api2/json/nodes/..%2Fstorage/status");
    Ok(())
}
