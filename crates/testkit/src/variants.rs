//! Other streams that must bring the same: the same events, given to the engine in another way.

use crate::case::{Case, Input, Outputs};

/// The events between two watermarks in another order. Those of one time keep theirs: it is what decides among them. So
/// everything comes at the same watermark as before; only late events come in another order.
pub fn shuffled(case: &Case, seed: u64) -> Case {
    let mut random = Random(seed);
    let mut input = Vec::with_capacity(case.input.len());
    for stretch in case.input.split_inclusive(|item| matches!(item, Input::Watermark { .. })) {
        let (events, watermark): (Vec<Input>, Vec<Input>) =
            stretch.iter().cloned().partition(|item| time(item).is_some());
        input.extend(random.shuffled(events));
        input.extend(watermark);
    }
    let mut expected = case.expected.clone();
    expected.late.sort_unstable();
    expected.rejected.iter_mut().for_each(|ids| ids.sort_unstable());
    Case { input, expected, ..case.clone() }
}

/// The whole input before its last watermark. What comes out must be the same, later.
pub fn unhurried(case: &Case) -> Case {
    let last = case.input.iter().rposition(|item| time(item).is_none());
    let stays = |(at, item): &(usize, &Input)| time(item).is_some() || Some(*at) == last;
    let input = case.input.iter().enumerate().filter(stays).map(|(_, item)| item.clone()).collect();
    Case { input, expected: untimed(case.expected.clone()), ..case.clone() }
}

/// The outputs without the input items at which they came.
pub fn untimed(mut outputs: Outputs) -> Outputs {
    outputs.matches.iter_mut().for_each(|line| line.at = 0);
    outputs.timeouts.iter_mut().for_each(|line| line.at = 0);
    outputs
}

fn time(item: &Input) -> Option<i64> {
    match item {
        Input::Event { e } => Some(e.ts),
        Input::Watermark { .. } => None,
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64, by G. Steele, D. Lea and C. Flood).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The times change places; which event of a time comes next is as before.
    fn shuffled(&mut self, events: Vec<Input>) -> Vec<Input> {
        let mut times: Vec<Option<i64>> = events.iter().map(time).collect();
        for index in (1..times.len()).rev() {
            let other = (self.next() % (index as u64 + 1)) as usize;
            times.swap(index, other);
        }
        let mut left = events;
        let mut shuffled = Vec::with_capacity(left.len());
        for wanted in times {
            let index = left.iter().position(|event| time(event) == wanted).expect("each time has its event");
            shuffled.push(left.remove(index));
        }
        shuffled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseEvent;

    fn case(items: &[(i64, i64)]) -> Case {
        let input = items.iter().map(|(id, ts)| match id {
            0 => Input::Watermark { wm: *ts },
            id => Input::Event { e: CaseEvent { id: *id, ts: *ts, ..CaseEvent::default() } },
        });
        Case { input: input.collect(), ..Case::default() }
    }

    fn ids(case: &Case) -> Vec<i64> {
        let id = |item: &Input| match item {
            Input::Event { e } => e.id,
            Input::Watermark { .. } => 0,
        };
        case.input.iter().map(id).collect()
    }

    #[test]
    fn events_stay_between_their_watermarks_and_behind_those_of_the_same_time() {
        let case = case(&[(1, 10), (2, 20), (3, 10), (0, 20), (4, 30), (5, 40), (0, 40)]);
        let orders: Vec<Vec<i64>> = (0..100).map(|seed| ids(&shuffled(&case, seed))).collect();
        for order in &orders {
            let place = |id| order.iter().position(|other| *other == id).unwrap();
            assert!(place(1) < place(3) && order[3] == 0 && order[6] == 0, "{order:?}");
        }
        assert!(orders.contains(&vec![2, 1, 3, 0, 5, 4, 0]));
    }

    #[test]
    fn only_the_last_watermark_stays() {
        let case = case(&[(1, 10), (0, 10), (2, 20), (0, 20), (3, 30)]);
        assert_eq!(ids(&unhurried(&case)), [1, 2, 0, 3]);
    }
}
