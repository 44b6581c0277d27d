//! Windows of a table, and the time that a timer's procedure is told.

use super::window::{ClassName, NewWindow, WantedWindow, WindowTable};
use super::*;
use crate::abi::types::{HWND, LPARAM, LRESULT, MSG, WM_TIMER, WPARAM};
use crate::platform;
use std::cell::Cell;

unsafe extern "system" fn procedure(_hwnd: HWND, _message: u32, _wparam: WPARAM, _lparam: LPARAM) -> LRESULT {
    0
}

#[test]
fn a_search_goes_on_behind_the_window_it_is_given() {
    let table = WindowTable::new(false);
    let class = || ClassName::Name(vec![b'w'.into()]);
    table.register(&[b'w'.into()], procedure, 0).unwrap();
    let windows = [(); 3]
        .map(|()| table.create(&class(), NewWindow { parent: HWND::NULL, name: Vec::new(), styles: [0; 2] }).unwrap());
    let find = |after| table.find(&WantedWindow { parent: HWND::NULL, after, class: Some(class()), name: None });
    assert_eq!(find(HWND::NULL), Some(windows[0]));
    assert_eq!(windows.map(find), [Some(windows[1]), Some(windows[2]), None]);
}

#[test]
fn names_of_messages_have_the_numbers_up_to_the_last() {
    let table = WindowTable::new(false);
    let named = |number: u32| table.message_named(&[number as u16 + 0x100]);
    let numbers: Vec<_> = (0..0x4000).map(named).collect();
    assert!(numbers.iter().copied().eq((0xC000..=0xFFFF).map(Some)));
    assert_eq!((named(0x4000), named(5)), (None, numbers[5]));
}

fn now_ms() -> u32 {
    (platform::now_ns() / 1_000_000) as u32
}

#[test]
fn a_message_has_the_time_at_which_it_came() {
    let before = now_ms();
    let time = message(HWND::NULL, 0x400, 0, 0).time;
    assert!((before..=now_ms()).contains(&time));
}

thread_local!(static TOLD: Cell<u32> = const { Cell::new(0) });

unsafe extern "system" fn tick(_hwnd: HWND, _message: u32, _id: usize, time: u32) {
    TOLD.set(time);
}

#[test]
fn a_procedure_of_a_timer_is_told_the_time() {
    let procedure: TimerProcedure = tick;
    assert_ne!(queue().set_timer(HWND::NULL, 0, 10, Some(procedure)), 0);
    let before = now_ms();
    let lparam = procedure as usize as isize;
    assert_eq!(dispatch(&MSG { message: WM_TIMER, lParam: lparam, ..message(HWND::NULL, 0, 0, 0) }), 0);
    assert!((before..=now_ms()).contains(&TOLD.get()));
}
