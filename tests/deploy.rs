//! What stands in `deploy/` is what the server takes.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::{selfie, succeed};

/// Variables that are not options of `selfie serve`: of the log, of the runtime's folder, and of HAProxy's configuration.
const OTHERS: &[&str] = &["SELFIE_LOG_FORMAT", "SELFIE_CACHE", "SELFIE_LISTEN", "SELFIE_A", "SELFIE_B", "SELFIE_C"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && !"_-".contains(character))
}

/// Kubernetes gives every pod variables of all services. Those of the service `selfie` are called as options are.
#[test]
fn no_variable_of_a_service_is_taken_for_an_option() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let deployment = std::fs::read_to_string(root.join("deploy/kustomize/base/deployment.yaml")).unwrap();
    assert!(deployment.contains("\n      enableServiceLinks: false\n"), "{deployment}");
    let mut command = selfie();
    let output = command.args(["serve", "--check"]).env("SELFIE_PORT", "tcp://10.0.0.7:8000").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("SELFIE_PORT") && said.contains("enableServiceLinks"), "{said}");
}

#[test]
fn every_variable_and_flag_is_an_option() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let help = succeed(root, &["serve", "--help"]);
    let known: BTreeSet<&str> = words(&help).chain(OTHERS.iter().copied()).collect();
    let mut seen = 0;
    let mut unknown = Vec::new();
    for file in files(&root.join("deploy")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let is_flag = |line: &str| line.trim_start().starts_with("args: [serve");
        for line in lines {
            for word in
                words(line).filter(|word| word.starts_with("SELFIE_") || is_flag(line) && word.starts_with("--"))
            {
                seen += 1;
                if !known.contains(word) {
                    unknown.push(format!("{}: {word}", file.display()));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(seen > 20, "only {seen} variables and flags were found");
}

/// The number behind a key, which is there once.
fn number(text: &str, key: &str) -> u64 {
    let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("no {key} in {text}"));
    let digits = rest.trim_start_matches(|character: char| !character.is_ascii_digit());
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap()
}

#[test]
fn pods_have_every_probe_and_more_time_to_end_than_a_server_takes() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let read = |name: &str| std::fs::read_to_string(deploy.join(name)).unwrap();
    for (container, pod) in [
        ("kustomize/base/deployment.yaml", "kustomize/base/deployment.yaml"),
        ("kserve/serving-runtime.yaml", "kserve/inference-service.yaml"),
    ] {
        let (text, pod) = (read(container), read(pod));
        for probe in ["startupProbe:", "livenessProbe:", "readinessProbe:"] {
            assert_eq!(text.matches(probe).count(), 1, "{probe} in {container}");
        }
        let [delay_ms, timeout_ms] =
            ["name: SELFIE_DRAIN_DELAY_MS", "name: SELFIE_DRAIN_TIMEOUT_MS"].map(|name| number(&text, name));
        let grace_ms = number(&pod, "terminationGracePeriodSeconds:") * 1000;
        // What is in flight may take all of the time, and connections two seconds more.
        assert!(grace_ms > delay_ms + timeout_ms + 2000, "{container}: {grace_ms} ms");
    }
}

#[test]
fn images_have_the_authorities_that_https_needs() {
    for name in ["Dockerfile", "Dockerfile.cuda"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let (_, last_stage) = text.rsplit_once("\nFROM ").unwrap();
        assert!(last_stage.contains(" ca-certificates "), "{name}: {last_stage}");
    }
}
