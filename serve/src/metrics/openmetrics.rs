//! The metrics as OpenMetrics, which Prometheus asks for where it stores exemplars: the same lines, and behind a bucket of
//! `selfie_http_request_duration_seconds` the last traced request that fell into it, so that a slow point of a chart leads to a trace.
//!
//! # Source
//! OpenMetrics 1.0.0, <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use crate::trace::TraceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Media type of the format.
pub const MEDIA_TYPE: &str = "application/openmetrics-text";
/// What stands behind the name of a counter, and not behind that of its family.
const TOTAL: &str = "_total";

/// The last traced request of each bucket of a histogram, by the name of the bucket's series.
#[derive(Clone, Default)]
pub struct Exemplars(Arc<Mutex<HashMap<String, String>>>);

impl Exemplars {
    /// The request of a trace is the last one of a series.
    pub fn keep(&self, series: String, trace: TraceId, seconds: f64) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let exemplar = format!("{{trace_id=\"{trace}\"}} {seconds} {at:.3}");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(series, exemplar);
    }
}

/// Makes it of Prometheus' text format.
pub fn text(prometheus: &str, exemplars: &Exemplars) -> String {
    let exemplars = exemplars.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = String::with_capacity(prometheus.len() + 128 * exemplars.len());
    // Of a counter that does not say so in its name, as Triton's do not.
    let mut unsaid = None;
    for line in prometheus.lines() {
        let mut words = line.splitn(4, ' ');
        match [words.next(), words.next(), words.next(), words.next()] {
            [Some("#"), Some(keyword), Some(name), Some(rest)] => {
                let family = name.strip_suffix(TOTAL).unwrap_or(name);
                if keyword == "TYPE" {
                    unsaid = (rest == "counter" && family == name).then_some(name);
                }
                text.extend(["# ", keyword, " ", family, " ", &rest.replace('"', "\\\"")]);
            }
            _ => {
                let (series, value) = line.rsplit_once(' ').unwrap_or((line, ""));
                match unsaid.and_then(|name| series.strip_prefix(name).map(|labels| [name, TOTAL, labels])) {
                    Some(parts) => text.extend(parts),
                    None => text.push_str(series),
                }
                text.extend([" ", value]);
                if let Some(exemplar) = exemplars.get(series) {
                    text.extend([" # ", exemplar]);
                }
            }
        }
        text.push('\n');
    }
    text.push_str("# EOF\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_twice_and_buckets_have_their_exemplars() {
        let prometheus = "# HELP a_total So \"many\".\n# TYPE a_total counter\na_total{b=\"c d\"} 3\n# HELP n Old.\n\
            # TYPE n counter\nn 2\nn{m=\"1\"} 1\n# HELP h Time.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 2\n\
            h_sum 0.5\nh_count 2\n";
        let exemplars = Exemplars::default();
        exemplars.keep("h_bucket{le=\"1\"}".into(), TraceId([1; 16]), 0.7);
        exemplars.keep("h_bucket{le=\"1\"}".into(), TraceId([2; 16]), 0.25);
        let found = text(prometheus, &exemplars);
        let (before, rest) = found.split_once("h_bucket{le=\"1\"} 2 # {trace_id=\"").unwrap();
        let expected = "# HELP a So \\\"many\\\".\n# TYPE a counter\na_total{b=\"c d\"} 3\n# HELP n Old.\n\
            # TYPE n counter\nn_total 2\nn_total{m=\"1\"} 1\n# HELP h Time.\n# TYPE h histogram\n";
        assert_eq!(before, expected);
        let (exemplar, after) = rest.split_once('\n').unwrap();
        assert!(exemplar.starts_with("02020202020202020202020202020202\"} 0.25 1"), "{exemplar}");
        assert_eq!(after, "h_bucket{le=\"+Inf\"} 2\nh_sum 0.5\nh_count 2\n# EOF\n");
    }
}
