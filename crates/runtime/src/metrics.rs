//! Counters, gauges and latency histograms: plain cells per core, summed when somebody asks.
//!
//! A metric is declared once as a constant [`Metric`]; a shard gets its cell from its [`Registry`] when it builds what it
//! measures, and keeps it. Reading is by [`Registry::snapshot`], which may cross to another thread and be summed there.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

/// A metric's declaration.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Name without the prefix `ouzel_`; counters end in `_total`, latencies in `_seconds`.
    pub name: &'static str,
    /// What one is: `bytes`, `seconds`, `requests`.
    pub unit: &'static str,
    /// One sentence for the scraper.
    pub help: &'static str,
}

impl Metric {
    /// A declaration.
    pub const fn new(name: &'static str, unit: &'static str, help: &'static str) -> Metric {
        Metric { name, unit, help }
    }
}

/// Label names and values of one series.
pub type Labels = Vec<(&'static str, String)>;

/// A number that only grows. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Counter(Rc<Cell<u64>>);

impl Counter {
    /// Adds.
    pub fn add(&self, n: u64) {
        self.0.set(self.0.get().wrapping_add(n));
    }

    /// The sum so far.
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}

/// A number that goes up and down. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Rc<Cell<i64>>);

impl Gauge {
    /// Sets.
    pub fn set(&self, n: i64) {
        self.0.set(n);
    }

    /// Adds, or subtracts a negative number.
    pub fn add(&self, n: i64) {
        self.0.set(self.0.get().wrapping_add(n));
    }

    /// The value.
    pub fn get(&self) -> i64 {
        self.0.get()
    }
}

/// Sub-buckets in each power of two: a bucket is at most 1/8 wide of its value.
const SUB_BITS: u32 = 3;
/// Values from 2^38 on (275 s, in nanoseconds) share the last bucket.
const TOP_BITS: u32 = 38;
const BUCKETS: usize = ((TOP_BITS - SUB_BITS + 1) << SUB_BITS) as usize + 1;

fn bucket_of(value: u64) -> usize {
    if value < 1 << SUB_BITS {
        return value as usize;
    }
    let top = 63 - value.leading_zeros();
    if top >= TOP_BITS {
        return BUCKETS - 1;
    }
    let sub = (value >> (top - SUB_BITS)) & ((1 << SUB_BITS) - 1);
    (((top - SUB_BITS + 1) << SUB_BITS) as u64 + sub) as usize
}

/// The bucket's end, exclusive; `None` for the last one.
fn bucket_end(bucket: usize) -> Option<u64> {
    if bucket >= BUCKETS - 1 {
        return None;
    }
    let next = bucket as u64 + 1;
    let (power, sub) = (next >> SUB_BITS, next & ((1 << SUB_BITS) - 1));
    Some(if power == 0 { sub } else { ((1 << SUB_BITS) + sub) << (power - 1) })
}

/// Counts of values in logarithmic buckets, 2.3 KiB; for latencies in nanoseconds, and sizes. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Histogram(Rc<RefCell<Distribution>>);

impl Histogram {
    /// Counts a value.
    pub fn record(&self, value: u64) {
        self.0.borrow_mut().record(value);
    }

    /// Counts a duration, in nanoseconds.
    pub fn record_duration(&self, d: Duration) {
        self.record(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was counted so far.
    pub fn distribution(&self) -> Distribution {
        self.0.borrow().clone()
    }
}

/// The counts of a histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution { buckets: vec![0; BUCKETS], count: 0, sum: 0 }
    }
}

impl Distribution {
    fn record(&mut self, value: u64) {
        self.buckets[bucket_of(value)] += 1;
        self.count += 1;
        self.sum += u128::from(value);
    }

    /// Values counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The value that `q` (0 to 1) of all values don't exceed, at most 1/8 too large; 0 when nothing was counted.
    pub fn quantile(&self, q: f64) -> u64 {
        let rank = ((self.count as f64 * q).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return bucket_end(bucket).map_or(u64::MAX, |end| end - 1);
            }
        }
        0
    }

    fn add(&mut self, other: &Distribution) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    /// Values below `limit`, which is a bucket's end.
    fn below(&self, limit: u64) -> u64 {
        (0..BUCKETS).take_while(|b| bucket_end(*b).is_some_and(|end| end <= limit)).map(|b| self.buckets[b]).sum()
    }
}

#[derive(Clone)]
enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

type Key = (&'static str, Labels);

/// The metrics of one shard. Clones are one.
#[derive(Clone, Default)]
pub struct Registry {
    series: Rc<RefCell<BTreeMap<Key, (&'static Metric, Series)>>>,
}

impl Registry {
    /// The counter of these labels, made at the first call. In a metric of unit `seconds` it counts nanoseconds.
    pub fn counter(&self, metric: &'static Metric, labels: Labels) -> Counter {
        match self.series(metric, labels, || Series::Counter(Counter::default())) {
            Series::Counter(counter) => counter,
            _ => panic!("{} is declared as another kind", metric.name),
        }
    }

    /// The gauge of these labels, made at the first call.
    pub fn gauge(&self, metric: &'static Metric, labels: Labels) -> Gauge {
        match self.series(metric, labels, || Series::Gauge(Gauge::default())) {
            Series::Gauge(gauge) => gauge,
            _ => panic!("{} is declared as another kind", metric.name),
        }
    }

    /// The histogram of these labels, made at the first call. In a metric of unit `seconds` values are nanoseconds.
    pub fn histogram(&self, metric: &'static Metric, labels: Labels) -> Histogram {
        match self.series(metric, labels, || Series::Histogram(Histogram::default())) {
            Series::Histogram(histogram) => histogram,
            _ => panic!("{} is declared as another kind", metric.name),
        }
    }

    /// Forgets a series: its partition or group is gone.
    pub fn remove(&self, metric: &'static Metric, labels: Labels) {
        self.series.borrow_mut().remove(&(metric.name, labels));
    }

    fn series(&self, metric: &'static Metric, labels: Labels, new: impl FnOnce() -> Series) -> Series {
        let mut series = self.series.borrow_mut();
        let (declared, held) = series.entry((metric.name, labels)).or_insert_with(|| (metric, new()));
        assert!(*declared == metric, "{} is declared twice", metric.name);
        held.clone()
    }

    /// All values now.
    pub fn snapshot(&self) -> Snapshot {
        let series = self.series.borrow();
        let values = series.iter().map(|(key, (metric, held))| {
            let value = match held {
                Series::Counter(counter) => Value::Counter(counter.get()),
                Series::Gauge(gauge) => Value::Gauge(gauge.get()),
                Series::Histogram(histogram) => Value::Histogram(Box::new(histogram.distribution())),
            };
            (key.clone(), (*metric, value))
        });
        Snapshot { values: values.collect() }
    }
}

/// A value of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a counter.
    Counter(u64),
    /// Of a gauge.
    Gauge(i64),
    /// Of a histogram.
    Histogram(Box<Distribution>),
}

/// The values of one or more shards at one time; `Send`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    values: BTreeMap<Key, (&'static Metric, Value)>,
}

impl Snapshot {
    /// Adds another shard's values, series by series.
    pub fn add(&mut self, other: Snapshot) {
        for (key, (metric, theirs)) in other.values {
            let Some((_, mine)) = self.values.get_mut(&key) else {
                self.values.insert(key, (metric, theirs));
                continue;
            };
            match (mine, theirs) {
                (Value::Counter(mine), Value::Counter(theirs)) => *mine = mine.wrapping_add(theirs),
                (Value::Gauge(mine), Value::Gauge(theirs)) => *mine = mine.wrapping_add(theirs),
                (Value::Histogram(mine), Value::Histogram(theirs)) => mine.add(&theirs),
                _ => panic!("{} is declared as another kind", metric.name),
            }
        }
    }

    /// The value of a series.
    pub fn get(&self, metric: &Metric, labels: &[(&'static str, &str)]) -> Option<&Value> {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.values.get(&(metric.name, labels)).map(|(_, value)| value)
    }

    /// All series by name and labels.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Metric, &Labels, &Value)> {
        self.values.iter().map(|((_, labels), (metric, value))| (*metric, labels, value))
    }

    /// Appends all series in Prometheus' text format, each name with the prefix `ouzel_`.
    pub fn write_text(&self, out: &mut String) {
        let mut last = "";
        for (metric, labels, value) in self.iter() {
            if last != metric.name {
                last = metric.name;
                let kind = match value {
                    Value::Counter(_) => "counter",
                    Value::Gauge(_) => "gauge",
                    Value::Histogram(_) => "histogram",
                };
                let _ = writeln!(out, "# HELP ouzel_{last} {}\n# TYPE ouzel_{last} {kind}", metric.help);
            }
            match value {
                Value::Counter(n) if metric.unit == "seconds" => line(out, last, "", labels, None, &(*n as f64 / 1e9)),
                Value::Counter(n) => line(out, last, "", labels, None, n),
                Value::Gauge(n) => line(out, last, "", labels, None, n),
                Value::Histogram(d) => write_histogram(out, metric, labels, d),
            }
        }
    }
}

/// Buckets shown to a scraper: powers of two, for seconds from 1 us to 69 s, else from 1 to 2^30.
fn write_histogram(out: &mut String, metric: &Metric, labels: &Labels, distribution: &Distribution) {
    let seconds = metric.unit == "seconds";
    let powers = if seconds { 10..37 } else { 0..31 };
    for power in powers {
        let limit = 1u64 << power;
        let shown = if seconds { limit as f64 / 1e9 } else { limit as f64 };
        // Prometheus' limit is inclusive and ours exclusive; within a bucket's width that is no difference.
        line(out, metric.name, "_bucket", labels, Some(&shown.to_string()), &distribution.below(limit));
    }
    line(out, metric.name, "_bucket", labels, Some("+Inf"), &distribution.count());
    let sum = if seconds { distribution.sum() as f64 / 1e9 } else { distribution.sum() as f64 };
    line(out, metric.name, "_sum", labels, None, &sum);
    line(out, metric.name, "_count", labels, None, &distribution.count());
}

fn line(
    out: &mut String,
    name: &str,
    suffix: &str,
    labels: &Labels,
    limit: Option<&str>,
    value: &dyn std::fmt::Display,
) {
    let _ = write!(out, "ouzel_{name}{suffix}");
    let mut open = '{';
    for (label, text) in labels.iter().map(|(l, t)| (*l, t.as_str())).chain(limit.map(|limit| ("le", limit))) {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{open}{label}=\"{text}\"");
        open = ',';
    }
    let _ = writeln!(out, "{} {value}", if open == ',' { "}" } else { "" });
}

#[cfg(test)]
mod tests {
    use super::*;

    static BYTES: Metric = Metric::new("log_append_bytes_total", "bytes", "Bytes appended.");
    static DEPTH: Metric = Metric::new("mailbox_depth", "messages", "Messages waiting.");
    static BUSY: Metric = Metric::new("cpu_busy_seconds_total", "seconds", "Time at work.");
    static LATENCY: Metric = Metric::new("log_commit_seconds", "seconds", "Time of a group commit.");

    #[test]
    fn every_value_lies_in_its_bucket_and_buckets_are_narrow() {
        let mut before = 0;
        for bucket in 0..BUCKETS - 1 {
            let end = bucket_end(bucket).expect("not the last");
            assert!(end > before, "{bucket}");
            assert!(end - before <= (before / 8).max(1), "{before}..{end}");
            assert_eq!((bucket_of(before), bucket_of(end - 1)), (bucket, bucket));
            before = end;
        }
        assert_eq!(before, 1 << TOP_BITS);
        assert_eq!((bucket_of(before), bucket_of(u64::MAX)), (BUCKETS - 1, BUCKETS - 1));
    }

    #[test]
    fn quantiles_are_at_most_an_eighth_too_large() {
        let histogram = Histogram::default();
        (1..=1000).for_each(|n| histogram.record(n * 1000));
        let d = histogram.distribution();
        for (q, exact) in [(0.0, 1000), (0.5, 500_000), (0.99, 990_000), (1.0, 1_000_000)] {
            let got = d.quantile(q);
            assert!(got >= exact && got <= exact + exact / 8, "{q}: {got} for {exact}");
        }
        assert_eq!((d.count(), d.sum()), (1000, 500_500_000));
        assert_eq!(Distribution::default().quantile(0.5), 0);
    }

    #[test]
    fn shards_add_up_and_handles_of_one_series_are_one() {
        let (a, b) = (Registry::default(), Registry::default());
        a.counter(&BYTES, vec![]).add(5);
        a.counter(&BYTES, vec![]).add(1);
        b.counter(&BYTES, vec![]).add(10);
        a.gauge(&DEPTH, vec![("shard", "0".into())]).set(3);
        b.gauge(&DEPTH, vec![("shard", "1".into())]).add(4);
        a.histogram(&LATENCY, vec![]).record_duration(Duration::from_micros(3));
        b.histogram(&LATENCY, vec![]).record_duration(Duration::from_micros(300));
        let mut sum = a.snapshot();
        sum.add(b.snapshot());
        assert_eq!(sum.get(&BYTES, &[]), Some(&Value::Counter(16)));
        assert_eq!(sum.get(&DEPTH, &[("shard", "1")]), Some(&Value::Gauge(4)));
        let Some(Value::Histogram(d)) = sum.get(&LATENCY, &[]) else { panic!("a histogram") };
        assert_eq!((d.count(), d.sum()), (2, 303_000));
        b.remove(&BYTES, vec![]);
        assert_eq!(b.snapshot().get(&BYTES, &[]), None);
    }

    #[test]
    fn the_text_has_one_head_per_name_and_escaped_labels() {
        let registry = Registry::default();
        registry.counter(&BYTES, vec![("topic", "a\"b\\c\n".into())]).add(1);
        registry.counter(&BYTES, vec![("topic", "d".into()), ("partition", "0".into())]).add(2);
        registry.histogram(&LATENCY, vec![]).record(1024 + 1);
        registry.counter(&BUSY, vec![]).add(2_500_000_000);
        let mut text = String::new();
        registry.snapshot().write_text(&mut text);
        assert_eq!(text.matches("# TYPE ouzel_log_append_bytes_total counter").count(), 1);
        assert!(text.contains("ouzel_log_append_bytes_total{topic=\"a\\\"b\\\\c\\n\"} 1\n"), "{text}");
        assert!(text.contains("ouzel_log_append_bytes_total{topic=\"d\",partition=\"0\"} 2\n"), "{text}");
        assert!(text.contains("ouzel_log_commit_seconds_bucket{le=\"0.000001024\"} 0\n"), "{text}");
        assert!(text.contains("ouzel_log_commit_seconds_bucket{le=\"0.000002048\"} 1\n"), "{text}");
        assert!(text.contains("ouzel_log_commit_seconds_bucket{le=\"+Inf\"} 1\n"), "{text}");
        assert!(text.contains("ouzel_log_commit_seconds_count 1\n"), "{text}");
        assert!(text.contains("ouzel_cpu_busy_seconds_total 2.5\n"), "{text}");
    }

    #[test]
    #[should_panic(expected = "another kind")]
    fn a_name_has_one_kind() {
        let registry = Registry::default();
        registry.counter(&BYTES, vec![]);
        registry.gauge(&BYTES, vec![]);
    }
}
