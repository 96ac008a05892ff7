//! Medians, and a ratio with its interval.

/// A ratio over pairs of windows.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Of the pairs' ratios.
    pub median: f64,
    /// 2.5th percentile of the medians of resampled pairs.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
    /// How many pairs.
    pub pairs: usize,
}

const RESAMPLES: usize = 2_000;

/// The median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// The median of `a / b` over pairs, with a bootstrap 95 % interval. The same pairs give the same interval.
pub fn median_ratio(pairs: &[(f64, f64)]) -> Option<Ratio> {
    let ratios: Vec<f64> = pairs.iter().filter(|(_, b)| *b > 0.0).map(|(a, b)| a / b).collect();
    let middle = median(&ratios)?;
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| median(&ratios.iter().map(|_| ratios[below(ratios.len())]).collect::<Vec<_>>()))
        .collect();
    medians.sort_by(f64::total_cmp);
    let at = |share: f64| medians[((RESAMPLES - 1) as f64 * share) as usize];
    Some(Ratio { median: middle, low: at(0.025), high: at(0.975), pairs: ratios.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn an_interval_covers_the_spread_and_equal_pairs_have_none() {
        let same = median_ratio(&[(1.0, 2.0); 6]).unwrap();
        assert_eq!((same.low, same.median, same.high, same.pairs), (0.5, 0.5, 0.5, 6));
        let spread: Vec<_> = (1..=9).map(|n| (f64::from(n), 10.0)).collect();
        let wide = median_ratio(&spread).unwrap();
        assert!(wide.low < wide.median && wide.median < wide.high);
        assert!(wide.low >= 0.1 && wide.high <= 0.9);
        assert!(median_ratio(&[(1.0, 0.0)]).is_none());
    }
}
