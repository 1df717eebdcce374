//! What happens to the bytes of an upload.

use std::time::Duration;

use budstikke_doubles::TransferStatus;
use md5::{Digest as _, Md5};
use serde_json::json;

use crate::caller::{Caller, OTHER, OWN, code, problem, start};

#[tokio::test]
async fn a_file_is_taken_once() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let id = sender.send(OTHER, b"first").await;
    assert_eq!(problem(sender.upload(id, "second").await).await, code(409, 4));
    assert_eq!(doubles.transfer(id).unwrap().read().unwrap(), b"first");
}

#[tokio::test]
async fn a_wrong_checksum_fails_the_transfer() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let mut announcement = sender.announcement(OTHER);
    announcement["checksum"] = json!(hex::encode(Md5::digest(b"other content")));
    let id = sender.announced(&announcement).await;
    assert_eq!(problem(sender.upload(id, "content").await).await, code(400, 9));
    assert_eq!(sender.overview(id).await["fileTransferStatus"], "Failed");
    assert_eq!(problem(sender.upload(id, "other content").await).await, code(409, 4));
}

#[tokio::test]
async fn a_file_may_not_be_too_large_whether_announced_or_chunked() {
    let doubles = start(|config| config.limits.max_upload = 1000).await;
    let sender = Caller::new(&doubles, OWN).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    assert_eq!(problem(sender.upload(id, vec![0; 1001]).await).await, code(400, 16));
    assert_eq!(doubles.transfer(id).unwrap().status, TransferStatus::Initialized);
    let chunks = || futures::stream::iter((0..11).map(|_| Ok::<_, std::io::Error>(vec![0; 100])));
    assert_eq!(
        problem(sender.upload(id, reqwest::Body::wrap_stream(chunks())).await).await,
        code(400, 16)
    );
    assert_eq!(doubles.transfer(id).unwrap().status, TransferStatus::Failed);
    let id = sender.announced(&sender.announcement(OTHER)).await;
    assert_eq!(sender.upload(id, vec![0; 1000]).await.status(), 200);
}

#[tokio::test]
async fn a_chunked_upload_is_taken_unless_forbidden() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let chunks = || futures::stream::iter(["a", "b"].map(Ok::<_, std::io::Error>));
    let id = sender.announced(&sender.announcement(OTHER)).await;
    assert_eq!(
        sender.upload(id, reqwest::Body::wrap_stream(chunks())).await.status(),
        200
    );
    assert_eq!(doubles.transfer(id).unwrap().read().unwrap(), b"ab");

    let strict = start(|config| config.limits.chunked_upload = false).await;
    let sender = Caller::new(&strict, OWN).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    assert_eq!(
        sender.upload(id, reqwest::Body::wrap_stream(chunks())).await.status(),
        500
    );
}

#[tokio::test]
async fn a_virus_scan_takes_its_time() {
    let doubles = start(|config| config.virus_scan_delay = Duration::from_millis(1500)).await;
    let sender = Caller::new(&doubles, OWN).await;
    let id = sender.send(OTHER, b"x").await;
    assert_eq!(sender.overview(id).await["fileTransferStatus"], "UploadProcessing");
    let published = |id| {
        move |all: &[budstikke_doubles::Transfer]| {
            all.iter()
                .any(|transfer| transfer.id == id && transfer.status == TransferStatus::Published)
        }
    };
    assert!(doubles.wait_for(Duration::from_secs(5), published(id)).await);
}

#[tokio::test]
async fn an_upload_given_up_leaves_no_file_behind() {
    let dir = tempfile::tempdir().unwrap();
    let doubles = start(|config| config.dir = Some(dir.path().to_owned())).await;
    let sender = Caller::new(&doubles, OWN).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0; 1000]));
    let upload = sender.upload_request(id, reqwest::Body::wrap_stream(endless)).send();
    assert!(tokio::time::timeout(Duration::from_millis(300), upload).await.is_err());
    let left = || std::fs::read_dir(dir.path()).unwrap().count();
    for _ in 0..100 {
        if left() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left(), 0);
    assert_eq!(sender.upload(id, "x").await.status(), 200);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_large_transfer_is_not_held_in_memory() {
    const PIECE: usize = 1 << 16;
    const SIZE: usize = 256 << 20;
    const ALLOWED_KIB: u64 = 64 << 10;
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let receiver = Caller::new(&doubles, OTHER).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    let before = peak();
    let pieces = futures::stream::iter((0..SIZE / PIECE).map(|_| Ok::<_, std::io::Error>(vec![7; PIECE])));
    let upload = sender.upload_request(id, reqwest::Body::wrap_stream(pieces));
    assert_eq!(
        upload.header("Content-Length", SIZE).send().await.unwrap().status(),
        200
    );
    let mut download = receiver.download(id).await;
    let mut got = 0;
    while let Some(piece) = download.chunk().await.unwrap() {
        got += piece.len();
    }
    assert_eq!(got, SIZE);
    assert_eq!(receiver.confirm(id).await.status(), 204);
    let grown = peak() - before;
    assert!(grown < ALLOWED_KIB, "the peak grew by {grown} KiB");
}
