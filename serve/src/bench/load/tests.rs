use super::super::connection::post;
use super::super::selfie::floats;
use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

const TAKES: Duration = Duration::from_millis(20);

/// A server that answers one connection with the vector (1, 2), after [`TAKES`] each, the first after `stall`, and closes it when nothing
/// comes for long.
fn serve(stall: Duration) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = vec![post(address, "/", &[], b"image")];
    let len = requests[0].len();
    thread::spawn(move || {
        let mut takes = stall;
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_read_timeout(Some(IDLE)).unwrap();
            let mut request = vec![0; len];
            while stream.read_exact(&mut request).is_ok() {
                thread::sleep(std::mem::replace(&mut takes, TAKES));
                let body = [1.0f32, 2.0].map(f32::to_le_bytes).concat();
                let answer = [b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n", body.as_slice()].concat();
                if stream.write_all(&answer).is_err() {
                    break;
                }
            }
        }
    });
    Target { address, requests, check: vectors(floats, vec![vec![2.0, 4.0]], 1, 0.999) }
}

#[test]
fn a_closed_loop_waits_for_each_answer() {
    let target = serve(TAKES);
    let stretch = closed(&target, 1, 10 * TAKES);
    assert_eq!((stretch.failures, stretch.failure), (0, None));
    assert!((1..=10).contains(&stretch.times.len()), "{} answers", stretch.times.len());
    assert!(stretch.times.iter().all(|time| *time >= TAKES.as_secs_f64()), "{:?}", stretch.times);
}

#[test]
fn a_stretch_without_time_has_one_answer() {
    assert_eq!(closed(&serve(TAKES), 1, Duration::ZERO).times.len(), 1);
}

#[test]
fn an_open_loop_charges_a_stall_to_all_who_would_have_waited() {
    let stall = 15 * TAKES;
    let target = serve(stall);
    let arrivals: Vec<Duration> = (0..5).map(|index| index * TAKES).collect();
    let stretch = open(&target, 1, &arrivals);
    assert_eq!((stretch.times.len(), stretch.failures), (5, 0));
    for (time, at) in stretch.times.iter().zip(&arrivals) {
        let least = (stall - *at).as_secs_f64();
        assert!(*time >= least, "{time} s, but the server stalled for {least} s after it was due");
    }
}

#[test]
fn a_connection_that_the_server_has_closed_meanwhile_costs_no_request() {
    let stretch = open(&serve(TAKES), 1, &[Duration::ZERO, IDLE + 5 * TAKES]);
    assert_eq!((stretch.times.len(), stretch.failures, stretch.failure), (2, 0, None));
}

#[test]
fn a_wrong_vector_is_a_failure() {
    let mut target = serve(TAKES);
    target.check = vectors(floats, vec![vec![2.0, -1.0]], 1, 0.999);
    let stretch = open(&target, 1, &[Duration::ZERO, Duration::ZERO]);
    assert_eq!((stretch.times.len(), stretch.failures), (0, 2));
    assert!(stretch.failure.unwrap().contains("vector 0 of request 0"));
}

#[test]
fn every_vector_of_an_answer_counts() {
    let check = vectors(floats, vec![vec![1.0, 2.0, 3.0, 0.0]], 2, 0.999);
    let answer =
        |numbers: &[f32]| check(0, &numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>());
    assert_eq!(answer(&[2.0, 4.0, 1.0, 0.0]), Ok(()));
    assert!(answer(&[2.0, 4.0, 0.0, 1.0]).unwrap_err().contains("vector 1 of request 0"));
    assert!(answer(&[0.0, 0.0, 1.0, 0.0]).unwrap_err().contains("cosine 0.0000"));
    assert_eq!(answer(&[2.0, 4.0]), Err("it has 2 numbers for request 0, not 4".into()));
}
