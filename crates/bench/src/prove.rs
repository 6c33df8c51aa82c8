//! How long `sekisho prove` takes for every claim, as a newcomer runs it.

use std::{process::Command, process::Stdio, time::Instant};

use crate::{
    served::binary,
    table::{Row, median},
};

pub fn measure() -> Vec<Row> {
    let seconds = (0..3).map(|_| {
        let start = Instant::now();
        let status = Command::new(binary()).args(["prove", "--json"]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "prove: {status}; what it takes to fail is no measure");
        start.elapsed().as_secs_f64()
    });
    let seconds = median(seconds.collect());
    vec![Row {
        what: "`sekisho prove`, all claims of the five shipped profiles",
        ours: format!("{seconds:.0} s"),
        against: "the clock".to_owned(),
        result: format!("{seconds:.0} s"),
        bar: "≤ 60 s",
    }]
}
