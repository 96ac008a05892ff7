use super::*;

const DROP: CutOdds = CutOdds { keep: 0.0, tear: 0.0, atom: 512 };
const KEEP: CutOdds = CutOdds { keep: 1.0, tear: 0.0, atom: 512 };

fn path(text: &str) -> &Path {
    Path::new(text)
}

/// Cuts a copy under many draws and tells which of `outcomes` each gave.
fn cuts<T: Ord>(image: &Image, odds: CutOdds, outcome: impl Fn(&Image) -> T) -> std::collections::BTreeSet<T> {
    (0..64)
        .map(|seed| {
            let mut copy = image.clone();
            copy.cut(odds, &mut Stream::new(seed, "cut"));
            outcome(&copy)
        })
        .collect()
}

#[test]
fn a_file_whose_directory_was_not_synced_may_be_gone_though_its_bytes_were() {
    let mut image = Image::new(1 << 20);
    let ino = image.open(path("a"), true, false).unwrap();
    image.write(ino, 0, &[1; 100], true).unwrap();
    let seen = cuts(&image, DROP, |i| i.lookup(path("a")).is_ok());
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [false, true]);
    let root = image.lookup(path("/")).unwrap();
    image.sync_dir(root, image.seq());
    assert_eq!(cuts(&image, DROP, |i| i.lookup(path("a")).is_ok()).into_iter().collect::<Vec<_>>(), [true]);
    assert_eq!(cuts(&image, DROP, |i| i.len(ino)).into_iter().collect::<Vec<_>>(), [100]);
}

#[test]
fn a_prefix_of_a_directory_journal_survives() {
    let mut image = Image::new(1 << 20);
    for name in ["a", "b", "c"] {
        image.open(path(name), true, false).unwrap();
    }
    let seen = cuts(&image, DROP, |i| i.list(path("/")).unwrap().into_iter().map(|e| e.name).collect::<String>());
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["", "a", "ab", "abc"]);
}

#[test]
fn a_rename_is_atomic_within_and_between_directories() {
    for to in ["new", "d/new"] {
        let mut image = Image::new(1 << 20);
        image.create_dir_all(path("d")).unwrap();
        image.open(path("old"), true, false).unwrap();
        image.sync_all(image.seq());
        image.rename(path("old"), path(to)).unwrap();
        let seen = cuts(&image, DROP, |i| (i.lookup(path("old")).is_ok(), i.lookup(path(to)).is_ok()));
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(false, true), (true, false)], "{to}");
    }
}

#[test]
fn a_length_that_was_not_synced_may_be_undone_and_what_grows_is_zeros() {
    let mut image = Image::new(1 << 20);
    let ino = image.open(path("a"), true, false).unwrap();
    image.sync_all(image.seq());
    image.write(ino, 0, &[7; 5000], false).unwrap();
    image.allocate(ino, 8192).unwrap();
    let lens = cuts(&image, KEEP, |i| i.len(ino));
    assert!(lens.contains(&0) && lens.contains(&8192), "{lens:?}");
    let mut tail = [1; 4];
    image.read(ino, 8000, &mut tail);
    assert_eq!(tail, [0; 4]);
    image.datasync(ino, image.seq());
    assert_eq!(cuts(&image, DROP, |i| i.len(ino)).into_iter().collect::<Vec<_>>(), [8192]);
}

#[test]
fn a_recycled_file_shows_its_earlier_life_where_a_piece_was_dropped() {
    let mut image = Image::new(1 << 20);
    let ino = image.open(path("1.j"), true, false).unwrap();
    image.write(ino, 0, &[1; 8192], true).unwrap();
    image.sync_all(image.seq());
    image.rename(path("1.j"), path("2.j")).unwrap();
    image.write(ino, 0, &[2; 8192], false).unwrap();
    image.sync_dir(image.lookup(path("/")).unwrap(), image.seq());
    image.cut(DROP, &mut Stream::new(1, "cut"));
    let mut seen = [0; 8192];
    image.read(ino, 0, &mut seen);
    assert_eq!(seen, [1; 8192]);
}

#[test]
fn space_runs_out_and_comes_back() {
    let mut image = Image::new(8192);
    let ino = image.open(path("a"), true, false).unwrap();
    image.write(ino, 0, &[1; 8192], false).unwrap();
    assert_eq!(image.write(ino, 8192, &[1], false).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(image.open(path("b"), true, false).unwrap_err().kind(), io::ErrorKind::StorageFull);
    image.remove_file(path("a")).unwrap();
    assert_eq!(image.free(), 8192);
    image.open(path("b"), true, false).unwrap();
}

/// The law of the model: whatever was synced survives any cut, and nothing appears that was never written.
#[test]
fn synced_bytes_survive_any_history() {
    for seed in 0..200 {
        let mut dice = Stream::new(seed, "history");
        let mut image = Image::new(1 << 24);
        let ino = image.open(path("f"), true, false).unwrap();
        image.sync_all(image.seq());
        let (mut synced, mut written) = (vec![0u8; 16], vec![vec![0u8]; 16]);
        for step in 1..60u8 {
            let page = dice.below(16);
            match dice.below(4) {
                0 => {
                    image.write(ino, page * 4096, &[step; 4096], true).unwrap();
                    synced[page as usize] = step;
                    written[page as usize] = vec![step];
                }
                1 | 2 => {
                    image.write(ino, page * 4096, &[step; 4096], false).unwrap();
                    written[page as usize].push(step);
                }
                _ => {
                    image.datasync(ino, image.seq());
                    for (synced, written) in synced.iter_mut().zip(&mut written) {
                        *synced = *written.last().unwrap();
                        *written = vec![*synced];
                    }
                }
            }
        }
        let odds = CutOdds::draw(&mut dice);
        image.cut(odds, &mut dice);
        for page in 0..16usize {
            let mut seen = [0; 4096];
            image.read(ino, page as u64 * 4096, &mut seen);
            let allowed = &written[page];
            assert!(seen.iter().all(|b| allowed.contains(b) || *b == 0 && image.len(ino) <= page as u64 * 4096 + 4095));
            if allowed.len() == 1 && allowed[0] != 0 {
                assert_eq!(seen[0], synced[page], "seed {seed} page {page}");
            }
        }
    }
}
