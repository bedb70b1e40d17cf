//! Figures over time, from the server's own round-robin archives.

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::find::safe;
use crate::backend::proxmox::guest::GuestKey;
use crate::backend::proxmox::kinds::NODES;
use crate::backend::proxmox::wire::Sample;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::view::{Chart, Series};

/// A series' name, how it is written, and where its value is.
type Field = (&'static str, Format, fn(&Sample) -> Option<f64>);

/// What is drawn of a guest, or of a host where the field exists there.
const FIELDS: [Field; 12] = [
    ("cpu", Format::Percent, |s| s.cpu),
    ("memory", Format::Bytes, |s| s.mem.or(s.memused)),
    ("ZFS cache", Format::Bytes, |s| s.arcsize),
    ("net in", Format::Rate, |s| s.netin),
    ("net out", Format::Rate, |s| s.netout),
    ("disk read", Format::Rate, |s| s.diskread),
    ("disk write", Format::Rate, |s| s.diskwrite),
    ("waits for storage", Format::Percent, |s| s.iowait),
    ("memory pressure", Format::Percent, |s| s.pressurememorysome.map(|percent| percent / 100.0)),
    ("storage pressure", Format::Percent, |s| s.pressureiosome.map(|percent| percent / 100.0)),
    ("cpu pressure", Format::Percent, |s| s.pressurecpusome.map(|percent| percent / 100.0)),
    ("memory it costs its host", Format::Bytes, |s| s.memhost),
];

/// How many of the fields stand in a guest's description.
const SHORT: usize = 2;

impl Proxmox {
    /// What a guest used in the last hour; nothing where that cannot be had, as the rest is still worth showing.
    pub(super) async fn last_hour(&self, id: &EntityId) -> Vec<Series> {
        let Ok(mut chart) = self.chart(id, "hour").await else { return Vec::new() };
        chart.series.retain(|series| FIELDS[..SHORT].iter().any(|(name, ..)| series.name == *name));
        chart.series
    }

    /// A row's figures over `hour`, `day`, `week` or `month`.
    pub(super) async fn chart(&self, id: &EntityId, span: &str) -> Result<Chart, ApiError> {
        let wrong = || ApiError::unsupported(format!("`{}` has no figures", id.key));
        let base = if id.kind.as_str() == NODES {
            format!("/nodes/{}", safe(&id.key).ok_or_else(wrong)?)
        } else {
            let key = GuestKey::of(id).ok_or_else(wrong)?;
            let (node, _) = self.locate(key).await?;
            key.path(&node)
        };
        let samples = self.client.list(&format!("{base}/rrddata?timeframe={span}&cf=AVERAGE")).await?;
        Ok(chart(&samples))
    }
}

/// Series that have at least one value; a bucket without data is a gap, which is how "off" looks.
fn chart(samples: &[Sample]) -> Chart {
    let series = FIELDS.iter().map(|(name, format, value)| {
        let at = |sample: &Sample| Timestamp::from_second(sample.time?).ok();
        let points = samples.iter().filter_map(|sample| Some((at(sample)?, value(sample)))).collect();
        Series { name: (*name).into(), format: *format, points }
    });
    let filled = |series: &Series| series.points.iter().any(|(_, value)| value.is_some());
    Chart { series: series.filter(filled).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_buckets_are_gaps_and_empty_series_are_left_out() {
        let samples: Vec<Sample> =
            serde_json::from_str(r#"[{"time":60,"cpu":0.5},{"time":120},{"time":"180","cpu":"0.25"}]"#)
                .unwrap();
        let chart = chart(&samples);
        assert_eq!(chart.series.len(), 1);
        let values: Vec<Option<f64>> = chart.series[0].points.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [Some(0.5), None, Some(0.25)]);
    }
}
