//! The sieve of Eratosthenes, stretch by stretch. Nothing here knows of COM.

/// How many odd numbers are sieved at a time: their marks fit into a core's own cache.
const STRETCH: usize = 128 * 1024;

/// Counts the primes from 2 to `max`. Before each stretch it asks whether to go on; `None` when the answer was no.
pub fn count_primes(max: u32, mut go_on: impl FnMut() -> bool) -> Option<u32> {
    // Mark `i` stands for the odd number `2 * i + 1`. The number 1 is no prime, but 2 is: they cancel out.
    let marks = max as usize / 2 + max as usize % 2;
    let mut strikers = strikers(max);
    let mut composite = vec![false; STRETCH.min(marks)];
    let mut count = 0;
    for begin in (0..marks).step_by(STRETCH) {
        if !go_on() {
            return None;
        }
        let stretch = &mut composite[..STRETCH.min(marks - begin)];
        stretch.fill(false);
        for striker in &mut strikers {
            striker.strike(stretch);
        }
        count += stretch.iter().filter(|composite| !**composite).count();
    }
    Some(if max < 2 { 0 } else { count as u32 })
}

/// An odd prime that strikes out its odd multiples.
struct Striker {
    prime: usize,
    /// The next multiple to strike, counted in marks from the beginning of the next stretch.
    next: usize,
}

impl Striker {
    fn strike(&mut self, stretch: &mut [bool]) {
        let mut at = self.next;
        while at < stretch.len() {
            stretch[at] = true;
            at += self.prime;
        }
        self.next = at - stretch.len();
    }
}

/// The odd primes up to the square root of `max`: at most 6541, all below 65536.
fn strikers(max: u32) -> Vec<Striker> {
    let root = max.isqrt() as usize;
    let mut composite = vec![false; root + 1];
    let mut strikers = Vec::new();
    for number in (3..=root).step_by(2) {
        if !composite[number] {
            composite[number..].iter_mut().step_by(number).for_each(|mark| *mark = true);
            strikers.push(Striker { prime: number, next: (number * number - 1) / 2 });
        }
    }
    strikers
}
