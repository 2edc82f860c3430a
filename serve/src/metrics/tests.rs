use super::*;
use prometheus::proto::LabelPair;
use std::collections::BTreeMap;
use std::time::Duration;

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// Metrics after something has happened that each of them counts, and those of the model, which would go without them.
fn moved() -> (Metrics, ModelMetrics) {
    let metrics = Metrics::new().unwrap();
    let model = metrics.model("m", 3);
    model.batch(2, Duration::from_millis(5));
    model.batch_waited(Duration::from_millis(300));
    model.padding(3, 4);
    model.padding(2, 4);
    model.stage(Stage::Decode, Duration::from_millis(1));
    model.canceled();
    model.expired();
    model.looked(true, Duration::from_millis(1));
    model.looked(false, Duration::from_millis(1));
    model.failed_batch();
    model.queue_limit(7);
    model.queue_depth("5", 1);
    model.image(64 * 64);
    model.loaded(Duration::from_secs(1));
    model.holds("cpu", 1 << 20);
    drop(model.track("embeddings"));
    model.shadowed("4", ShadowOutcome::Dropped);
    model.shadow_cosine("4", 0.9995);
    model.shadow_class("4", true);
    metrics.http.observe("/v1/models", "GET", 200, Duration::from_millis(1), None);
    metrics.grpc.observe("ModelInfer", tonic::Code::NotFound, Duration::from_millis(1));
    metrics.in_flight.set(4);
    metrics.spans.sent(2);
    metrics.spans.dropped(3);
    metrics.galleries.opened("g", 5);
    metrics.galleries.searched("g", 2, Duration::from_millis(1));
    (metrics, model)
}

#[test]
fn every_family_shows_up_with_its_labels() {
    let (metrics, _model) = moved();
    let text = metrics.text().unwrap();
    for line in [
        "selfie_batches_total{model=\"m\",version=\"3\"} 1",
        "selfie_batch_size_sum{model=\"m\",version=\"3\"} 2",
        "selfie_batch_wait_seconds_sum{model=\"m\",version=\"3\"} 0.3",
        "selfie_image_pixels_bucket{le=\"1024\"} 0",
        "selfie_image_pixels_bucket{le=\"4096\"} 1",
        "selfie_model_memory_bytes{device=\"cpu\",model=\"m\",version=\"3\"} 1048576",
        "selfie_items_total{model=\"m\",version=\"3\"} 2",
        "selfie_batch_rows_total{model=\"m\",version=\"3\"} 8",
        "selfie_padding_rows_total{model=\"m\",version=\"3\"} 3",
        "selfie_padding_ratio{model=\"m\",version=\"3\"} 0.375",
        "selfie_items_canceled_total{model=\"m\",version=\"3\"} 1",
        "selfie_items_expired_total{model=\"m\",version=\"3\"} 1",
        "selfie_batches_failed_total{model=\"m\",version=\"3\"} 1",
        "selfie_queue_depth{model=\"m\",priority=\"5\",version=\"3\"} 1",
        "selfie_queue_limit{model=\"m\",version=\"3\"} 7",
        "selfie_stage_duration_seconds_count{model=\"m\",stage=\"decode\",version=\"3\"} 1",
        "selfie_model_state{model=\"m\",state=\"READY\",version=\"3\"} 1",
        "selfie_requests_total{api=\"embeddings\",model=\"m\",outcome=\"canceled\",version=\"3\"} 1",
        "selfie_shadow_total{model=\"m\",outcome=\"dropped\",shadow=\"4\",version=\"3\"} 1",
        "selfie_shadow_cosine_bucket{model=\"m\",shadow=\"4\",version=\"3\",le=\"0.999\"} 0",
        "selfie_shadow_cosine_bucket{model=\"m\",shadow=\"4\",version=\"3\",le=\"0.9999\"} 1",
        "selfie_shadow_class_total{agrees=\"true\",model=\"m\",shadow=\"4\",version=\"3\"} 1",
        "selfie_http_requests_total{method=\"GET\",route=\"/v1/models\",status=\"200\"} 1",
        "selfie_grpc_requests_total{code=\"NotFound\",method=\"ModelInfer\"} 1",
        "selfie_gallery_vectors{gallery=\"g\"} 5",
        "selfie_search_queries_total{gallery=\"g\"} 2",
        "selfie_search_duration_seconds_count{gallery=\"g\"} 1",
        "selfie_in_flight 4",
        "selfie_spans_sent_total 2",
        "selfie_spans_dropped_total 3",
        "selfie_build_info{",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn the_series_of_a_version_go_with_the_last_who_holds_its_metrics() {
    let (metrics, model) = moved();
    let (again, other) = (metrics.model("m", 3), metrics.model("m", 4));
    other.batch(1, Duration::from_millis(1));
    let of = |version: &str| {
        let (text, label) = (metrics.text().unwrap(), format!("version=\"{version}\""));
        let lines = text.lines().filter(|line| line.contains(&label) && !line.starts_with("selfie_model_state"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (before, others) = (of("3"), of("4"));
    assert!(before.len() > 100 && others.len() > 10, "{before:?}");
    // A request that is on its way counts to the end.
    let request = model.track("embeddings");
    drop(model);
    drop(again);
    assert_eq!(of("3"), before);
    drop(request);
    assert_eq!(of("3"), Vec::<String>::new());
    assert_eq!(of("4"), others);
}

#[test]
fn a_version_is_in_one_state_at_a_time() {
    let metrics = Metrics::new().unwrap();
    let model = metrics.model("m", 3);
    let states = || {
        let text = metrics.text().unwrap();
        let lines = text.lines().filter(|line| line.starts_with("selfie_model_state{") && line.ends_with(" 1"));
        lines.map(|line| line.split('"').nth(3).unwrap().to_owned()).collect::<Vec<_>>()
    };
    model.loading();
    assert_eq!(states(), ["LOADING"]);
    model.loaded(Duration::from_secs(1));
    assert_eq!(states(), ["READY"]);
    model.refused();
    assert_eq!(states(), ["UNAVAILABLE"]);
    model.unloaded();
    assert!(states().is_empty());
}

/// Kind and labels of each metric by its name, as the table in the documentation has them.
fn documented() -> BTreeMap<String, String> {
    let (_, rest) = OPERATIONS.split_once("\n| metric | kind | labels |").unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].replace('`', "");
        (cells[1].trim_matches('`').to_owned(), format!("{} {labels}", cells[2]).trim().to_owned())
    })
    .collect()
}

#[test]
fn the_documentation_lists_every_metric_and_no_other() {
    let (metrics, _model) = moved();
    let found = metrics.registry.gather();
    let described = found.iter().map(|family| {
        let kind = format!("{:?}", family.get_field_type()).to_lowercase();
        let labels = family.get_metric()[0].get_label().iter().map(LabelPair::name);
        let labels = labels.collect::<Vec<_>>().join(", ");
        (family.name().to_owned(), format!("{kind} {labels}").trim().to_owned())
    });
    let found: BTreeMap<String, String> = described.collect();
    // Only Linux tells what a process takes.
    let told = |name: &String| cfg!(target_os = "linux") || !name.starts_with("process_");
    let documented: BTreeMap<_, _> = documented().into_iter().filter(|(name, _)| told(name)).collect();
    assert_eq!(documented, found);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_looked_at_whenever_somebody_asks() {
    let metrics = Metrics::new().unwrap();
    let read = |name: &str| {
        let text = metrics.text().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.unwrap().parse::<f64>().unwrap()
    };
    let (files, memory, cpu) =
        (read("process_open_fds"), read("process_resident_memory_bytes"), read("process_cpu_seconds_total"));
    let open: Vec<_> = (0..100).map(|_| std::fs::File::open("/proc/self/stat").unwrap()).collect();
    let taken = vec![1u8; 64 << 20];
    assert!(taken.iter().all(|byte| *byte == 1));
    // Other tests of this process open and close files as well.
    assert!(read("process_open_fds") >= files + 50.0);
    assert!(read("process_resident_memory_bytes") >= memory + f64::from(32 << 20));
    drop(open);
    let spins = std::time::Instant::now();
    while read("process_cpu_seconds_total") < cpu + 0.02 {
        assert!(spins.elapsed() < Duration::from_secs(300), "no processor time is counted");
    }
    assert!(read("process_max_fds") >= files && read("process_threads") >= 1.0);
    assert!(read("process_virtual_memory_bytes") >= read("process_resident_memory_bytes"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let started = read("process_start_time_seconds");
    assert!((now - 86400.0..=now + 1.0).contains(&started), "{started} is not shortly before {now}");
}
