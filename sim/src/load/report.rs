//! What came of a load: in words, as CSV, and as a plot.

use super::hub::Ended;
use super::measure::{Latencies, Measured, Sample};
use crate::report::End;
use plotters::prelude::*;
use std::fmt::{self, Write as _};
use std::time::Duration;

/// The percentiles that are told.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// What a load came to. Times are virtual.
#[derive(Clone, Debug)]
#[must_use = "a load may have ended in a panic or a deadlock"]
pub struct LoadReport {
    /// How it ended.
    pub end: End,
    /// How long it took, in nanoseconds.
    pub virtual_ns: u64,
    /// How long the measured calls took.
    pub latencies: Latencies,
    /// How things stood, at regular times and at the end.
    pub samples: Vec<Sample>,
    /// The names of the gauges.
    pub gauges: Vec<String>,
    /// The most calls that were under way at once.
    pub in_flight_max: u64,
    /// The most threads that there were at once.
    pub threads_max: usize,
    /// How often a thread was let go on: what the run cost, in a measure that no machine changes.
    pub switches: u64,
    /// Threads that had not ended and were given up.
    pub abandoned: usize,
}

impl LoadReport {
    pub(super) fn new(ended: Ended, measured: Measured) -> Self {
        Self {
            end: ended.end,
            virtual_ns: ended.virtual_ns,
            latencies: measured.latencies,
            samples: measured.samples,
            gauges: measured.gauges,
            in_flight_max: measured.in_flight_max,
            threads_max: ended.threads_max,
            switches: ended.switches,
            abandoned: ended.abandoned,
        }
    }

    /// Panics with the report's words unless the load ended well.
    #[track_caller]
    pub fn expect_completed(&self) -> &Self {
        assert!(self.end == End::Completed, "{self}");
        self
    }

    /// Calls for each virtual second, from the beginning to the end.
    pub fn throughput(&self) -> f64 {
        if self.virtual_ns == 0 {
            return 0.0;
        }
        self.latencies.count() as f64 * 1e9 / self.virtual_ns as f64
    }

    /// The samples, a line each: the time in seconds, calls that were over by then, calls for each second since the sample
    /// before, calls under way, and the gauges.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("time_s,completed,throughput_per_s,in_flight");
        self.gauges.iter().for_each(|name| csv.extend([",", &quoted(name)]));
        csv.push('\n');
        for (sample, rate) in self.samples.iter().zip(self.rates()) {
            let _ = write!(csv, "{:.6},{},{rate:.3},{}", seconds(sample.at_ns), sample.completed, sample.in_flight);
            for value in &sample.gauges {
                let _ = write!(csv, ",{value}");
            }
            csv.push('\n');
        }
        csv
    }

    /// For each sample, the calls for each second since the one before.
    fn rates(&self) -> impl Iterator<Item = f64> {
        let before = std::iter::once((0, 0)).chain(self.samples.iter().map(|sample| (sample.at_ns, sample.completed)));
        self.samples.iter().zip(before).map(|(sample, (at_ns, completed))| {
            let passed = sample.at_ns - at_ns;
            if passed == 0 { 0.0 } else { (sample.completed - completed) as f64 * 1e9 / passed as f64 }
        })
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, time) = (self.latencies.count(), Duration::from_nanos(self.virtual_ns));
        writeln!(f, "{count} calls in {time:.3?} of virtual time: {:.0} calls/s; {}", self.throughput(), self.end)?;
        write!(f, "latency:")?;
        for percent in PERCENTILES {
            write!(f, " {percent} % {:.3?},", self.latencies.percentile(percent))?;
        }
        writeln!(f, " longest {:.3?}", self.latencies.longest())?;
        write!(f, "at most {} calls under way, on {} threads", self.in_flight_max, self.threads_max)?;
        for (i, name) in self.gauges.iter().enumerate() {
            let most = self.samples.iter().map(|sample| sample.gauges[i]).max().unwrap_or(0);
            write!(f, "; {name}: at most {most}")?;
        }
        Ok(())
    }
}

/// A field of a CSV file.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// One curve: its name and its points.
type Curve = (String, Vec<(f64, f64)>);

/// Draws reports over each other, as SVG: calls for each second, calls under way and gauges over time, and the time within
/// which so many of the calls were over.
pub fn plot(reports: &[(&str, &LoadReport)]) -> String {
    let over_time = |value: &dyn Fn(&LoadReport) -> Vec<f64>| -> Vec<Curve> {
        let curve = |&(name, report): &(&str, &LoadReport)| {
            let times = report.samples.iter().map(|sample| seconds(sample.at_ns));
            (name.to_owned(), times.zip(value(report)).collect())
        };
        reports.iter().map(curve).collect()
    };
    let throughput = over_time(&|report| report.rates().collect());
    let mut waiting = over_time(&|report| report.samples.iter().map(|sample| sample.in_flight as f64).collect());
    for (name, report) in reports {
        for (i, gauge) in report.gauges.iter().enumerate() {
            let points = report.samples.iter().map(|sample| (seconds(sample.at_ns), sample.gauges[i] as f64));
            waiting.push((format!("{name}: {gauge}"), points.collect()));
        }
    }
    let latency = reports.iter().map(|(name, report)| {
        let points = (0..=999).map(|tenth| f64::from(tenth) / 10.0);
        let points = points.map(|percent| (percent, report.latencies.percentile(percent).as_secs_f64()));
        ((*name).to_owned(), points.collect())
    });
    let charts = [
        ("calls per second", "virtual time (s)", throughput),
        ("calls under way", "virtual time (s)", waiting),
        ("latency (s)", "% of the calls", latency.collect()),
    ];
    let mut svg = String::new();
    draw(&mut svg, &charts).expect("a string takes every drawing");
    svg
}

fn draw(svg: &mut String, charts: &[(&str, &str, Vec<Curve>)]) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (900, 300 * charts.len() as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, (title, x_name, curves)) in root.split_evenly((charts.len(), 1)).iter().zip(charts) {
        let points = || curves.iter().flat_map(|(_, points)| points);
        let x_max = points().map(|point| point.0).fold(f64::MIN_POSITIVE, f64::max);
        let y_max = points().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(80)
            .build_cartesian_2d(0.0..x_max, 0.0..y_max * 1.05)?;
        chart.configure_mesh().x_desc(*x_name).light_line_style(WHITE).draw()?;
        for (i, (name, points)) in curves.iter().enumerate() {
            let colour = Palette99::pick(i).to_rgba();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    }
    root.present()?;
    Ok(())
}
