//! The switch, with kernels that lie in one respect each.

use super::{Credentials, Gid, GroupIds, Kernel, Regains, give_up_group, regains, switch_group};
use crate::caller::Admitted;
use crate::process_state::SafeProcess;
use crate::refusal::{Refusal, SwitchFault};
use crate::sample::{LIST, MAIL, gid};
use crate::sys::tests::in_child;
use nix::errno::Errno;
use rstest::rstest;

/// A process without CAP_SETGID, and what its kernel does wrong.
struct Fake {
    ids: [u32; 3],
    lie: Lie,
    calls: Vec<[Option<Gid>; 3]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    None,
    /// Every call fails.
    Refuses,
    /// Success, and nothing has changed: a seccomp filter with SECCOMP_RET_ERRNO 0.
    Pretends,
    /// The saved gid stays: setgid(2), setegid(2) without CAP_SETGID.
    KeepsSaved,
    /// Any gid is granted: CAP_SETGID.
    GrantsAll,
    /// getresgid(2) fails.
    Silent,
}

impl GroupIds for Fake {
    fn set(&mut self, gids: [Option<Gid>; 3]) -> Result<(), Errno> {
        self.calls.push(gids);
        let allowed = |gid: &Gid| self.lie == Lie::GrantsAll || self.ids.contains(&gid.as_raw());
        if self.lie == Lie::Refuses || !gids.iter().flatten().all(allowed) {
            return Err(Errno::EPERM);
        }
        for (at, (id, gid)) in self.ids.iter_mut().zip(gids).enumerate() {
            let skipped = self.lie == Lie::Pretends || (self.lie == Lie::KeepsSaved && at == 2);
            if let (Some(gid), false) = (gid, skipped) {
                *id = gid.as_raw();
            }
        }
        Ok(())
    }

    fn get(&self) -> Result<[u32; 3], Errno> {
        if self.lie == Lie::Silent { Err(Errno::EINVAL) } else { Ok(self.ids) }
    }
}

fn switch(ids: [u32; 3], lie: Lie) -> (Option<SwitchFault<'static>>, Fake) {
    let mut fake = Fake { ids, lie, calls: Vec::new() };
    let fault = match switch_group(&Admitted::assumed(), &mut fake, LIST, if ids[0] == 38 { LIST } else { MAIL }) {
        Ok(_) => None,
        Err(Refusal::NotSwitched(fault)) => Some(fault),
        Err(other) => panic!("{other:?} is not about the switch"),
    };
    (fault, fake)
}

#[test]
fn all_three_ids_are_switched_and_the_way_back_is_tried() {
    let (fault, fake) = switch([8, 38, 38], Lie::None);
    assert_eq!(fault, None);
    assert_eq!(fake.ids, [38; 3]);
    assert_eq!(fake.calls, [[Some(gid(38)); 3], [None, Some(gid(8)), None]]);
}

#[test]
fn where_old_and_new_are_the_same_there_is_no_way_back_to_try() {
    let (fault, fake) = switch([38; 3], Lie::None);
    assert_eq!((fault, fake.calls.len()), (None, 1));
}

#[rstest]
#[case::refused(Lie::Refuses, SwitchFault::Refused { own: LIST, errno: Errno::EPERM })]
#[case::pretended(Lie::Pretends, SwitchFault::Other { own: LIST, given_up: MAIL, found: [8, 38, 38] })]
#[case::cannot_be_read(Lie::Silent, SwitchFault::Unread(Errno::EINVAL))]
#[case::taken_back(Lie::GrantsAll, SwitchFault::Regained { own: LIST, given_up: MAIL })]
fn a_switch_that_is_none_is_noticed(#[case] lie: Lie, #[case] expected: SwitchFault<'static>) {
    assert_eq!(switch([8, 38, 38], lie).0, Some(expected));
}

#[test]
fn a_saved_gid_that_stayed_is_noticed() {
    let (fault, _) = switch([8, 38, 8], Lie::KeepsSaved);
    assert_eq!(fault, Some(SwitchFault::Other { own: LIST, given_up: MAIL, found: [38, 38, 8] }));
}

/// Q17.
#[rstest]
#[case::given_up([8, 38, 38], Lie::None, None, None)]
#[case::own_group_of_the_caller([38; 3], Lie::None, None, None)]
#[case::root([8, 38, 38], Lie::GrantsAll, Some(Regains::Root), None)]
#[case::refused([8, 38, 38], Lie::Refuses, None, Some(SwitchFault::Refused { own: MAIL, errno: Errno::EPERM }))]
#[case::pretended([8, 38, 38], Lie::Pretends, None, Some(SwitchFault::Other { own: MAIL, given_up: LIST, found: [8, 38, 38] }))]
#[case::saved([8, 38, 38], Lie::KeepsSaved, None, Some(SwitchFault::Other { own: MAIL, given_up: LIST, found: [8, 8, 38] }))]
#[case::taken_back([8, 38, 38], Lie::GrantsAll, None, Some(SwitchFault::Regained { own: MAIL, given_up: LIST }))]
fn a_group_is_given_up_for_good(
    #[case] ids: [u32; 3],
    #[case] lie: Lie,
    #[case] regains: Option<Regains>,
    #[case] expected: Option<SwitchFault<'static>>,
) {
    let mut fake = Fake { ids, lie, calls: Vec::new() };
    let caller = if ids[0] == 38 { LIST } else { MAIL };
    let fault = give_up_group(&mut fake, LIST, caller, regains).err();
    assert_eq!(fault, expected);
    assert!(fault.is_some() || fake.ids == [ids[0]; 3]);
}

#[rstest]
#[case::nobody([1000, 1000], 0, None)]
#[case::root([0, 0], 0, Some(Regains::Root))]
#[case::real_root([0, 1000], 0, Some(Regains::Root))]
#[case::effective_root([1000, 0], 0, Some(Regains::Root))]
#[case::cap_setgid([1000, 1000], 1 << 6, Some(Regains::Capability))]
#[case::all_but_cap_setgid([1000, 1000], !(1 << 6), None)]
fn who_can_take_a_group_back(#[case] uids: [u32; 2], #[case] permitted: u32, #[case] expected: Option<Regains>) {
    assert_eq!(regains(uids, permitted), expected);
}

#[test]
fn minus_one_is_no_gid() {
    assert_eq!(Gid::new(u32::MAX), None);
    assert_eq!(Gid::new(u32::MAX - 1).map(Gid::as_raw), Some(u32::MAX - 1));
    assert_eq!(gid(38).to_string(), "38");
}

/// The field of /proc/self/status: proc_pid_status(5).
fn status(field: &str) -> Vec<String> {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a field of it");
    line.split_ascii_whitespace().map(str::to_owned).collect()
}

#[test]
fn credentials_are_those_of_the_process() {
    let read = Credentials::read(&SafeProcess::assumed()).expect("nothing stands in the way");
    let [gids, uids] =
        ["Gid:", "Uid:"].map(|field| status(field).iter().map(|id| id.parse().expect("number")).collect::<Vec<u32>>());
    assert_eq!([read.real.as_raw(), read.effective.as_raw()], gids[..2]);
    let permitted = u64::from_str_radix(&status("CapPrm:")[0], 16).expect("number");
    assert_eq!(read.regains, regains([uids[0], uids[1]], (permitted & 0xffff_ffff) as u32));
    assert_eq!(Kernel.get().expect("readable").as_slice(), &gids[..3]);
}

#[test]
fn the_kernel_leaves_what_is_not_named() {
    let before = Kernel.get().expect("readable");
    Kernel.set([None; 3]).expect("nothing changes");
    assert_eq!(Kernel.get().expect("readable"), before);
}

#[test]
fn the_kernel_sets_what_it_says_it_sets() {
    assert!(in_child(|| match Kernel.set([Some(gid(4242)), Some(gid(4243)), None]) {
        Ok(()) => {
            let read = Credentials::read(&SafeProcess::assumed()).expect("readable");
            Kernel.get().is_ok_and(|found| found[..2] == [4242, 4243])
                && (read.real, read.effective) == (gid(4242), gid(4243))
        }
        // Of an ordinary user it accepts no other group.
        Err(errno) => errno == Errno::EPERM && Kernel.get().is_ok_and(|found| !found.contains(&4242)),
    }));
}
