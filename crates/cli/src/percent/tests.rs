use super::*;

/// A small generator, so that a failure comes back the next time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn bytes(&mut self) -> Bytes {
        let len = self.next() % 9;
        (0..len).map(|_| self.next() as u8).collect()
    }

    fn record(&mut self) -> View {
        View {
            topic: self.bytes(),
            key: self.bytes(),
            value: self.bytes(),
            headers: (0..self.next() % 3).map(|_| (self.bytes(), self.bytes())).collect(),
            partition: self.next() as i64,
            offset: self.next() as i64,
            timestamp: self.next() as i64,
            ..View::default()
        }
    }
}

fn layout(text: &str) -> Layout {
    let layout = Layout::parse(text).unwrap();
    layout.check_readable().unwrap();
    layout
}

#[test]
fn what_was_printed_reads_back_for_all_bytes() {
    let layouts = [
        "%T{big32}%t%K{big32}%k%V{little64}%v%H{big16}%h{%K{big8}%k%V{hex16}%v}%p{big64}%o{little64}%d{hex64}",
        "%V %v|%K %k|%T{big8}%t%H %h{%k{hex}=%v{base64},}%p %o %d\n",
        "%t{hex} %k{base64} %v{base64raw} %p/%o/%d/%H/%h{%k{hex}:%v{hex};}\\x00\\xff%%",
        "%K{little16}%k{hex}%V{big16}%v{base64}%T{byte}%t{base64raw}%H{big8}%h{%V{big8}%v{hex}%K{big8}%k{base64}}%p,%o,%d;",
    ];
    for text in layouts {
        let layout = layout(text);
        let mut chance = Chance(7);
        let records: Vec<View> = (0..300).map(|_| chance.record()).collect();
        let mut printed = Vec::new();
        records.iter().for_each(|record| layout.print(record, &mut printed));
        let mut at = 0;
        for record in &records {
            // Whatever a read of less than the record says, it isn't a record.
            let Found::Record(read, used) = layout.read(&printed[at..], false).unwrap() else {
                panic!("{text}: more?")
            };
            assert_eq!(&read, record, "{text}");
            for cut in at..at + used {
                assert_eq!(layout.read(&printed[at..cut], false).unwrap_or(Found::More), Found::More, "{text}");
            }
            at += used;
        }
        assert_eq!(at, printed.len());
    }
}

#[test]
fn lines_read_back_and_the_last_need_not_end() {
    let layout = layout("%k %v\n");
    let mut read = Vec::new();
    let mut rest = &b"a 1\nb 2 3\n 4\nc "[..];
    while !rest.is_empty() {
        match layout.read(rest, true).unwrap() {
            Found::Record(view, used) => {
                read.push((view.key, view.value));
                rest = &rest[used..];
            }
            Found::More => panic!("nothing follows"),
        }
    }
    let expect = [("a", "1"), ("b", "2 3"), ("", "4"), ("c", "")];
    assert_eq!(read, expect.map(|(key, value)| (Bytes::from(key), Bytes::from(value))));
    assert_eq!(layout.read(b"a 1", false), Ok(Found::More));
}

#[test]
fn print_knows_every_letter() {
    let view = View {
        topic: "t".into(),
        key: "k\u{e9}".into(),
        value: "vv".into(),
        headers: vec![("a".into(), "1".into()), ("b".into(), "".into())],
        partition: 3,
        offset: 4,
        epoch: 5,
        timestamp: 6,
        producer_id: 7,
        producer_epoch: 8,
        attributes: 4 | 8 | 16,
        log_start: 9,
        last_stable: 10,
        high_watermark: 11,
        count: 12,
    };
    let check = |text: &str, expect: &str| {
        let mut out = Vec::new();
        Layout::parse(text).unwrap().print(&view, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expect, "{text}");
    };
    check("%t %k %v %T %K %V %H\\n", "t k\u{e9} vv 1 3 2 2\n");
    check("%p %o %e %d %x %y %[ %| %] %i 100%%", "3 4 5 6 7 8 9 10 11 12 100%");
    check("%h{%k=%v,}", "a=1,b=,");
    check("%v{hex} %v{base64} %v{base64raw} %p{hex16} %p{bool}", "7676 dnY= dnY 0003 true");
    check("%a{compression} %a{timestamp-type} %a{transactional} %a{control}", "zstd LogAppendTime true false");
}

#[test]
fn what_makes_no_sense_is_said() {
    for bad in ["", "%", "%q", "\\q", "%v{what}", "%p{what}", "%h", "%h{%p}", "%v{hex", "\\x1", "%a"] {
        assert!(Layout::parse(bad).is_err(), "{bad}");
    }
    for unreadable in ["x", "%k%v", "%h{%k}\n", "%p%v", "%i %v", "%H %h{%k=%v}", "%a{control} %v"] {
        assert!(Layout::parse(unreadable).unwrap().check_readable().is_err(), "{unreadable}");
    }
    assert!(layout("%p %v\n").read(b"x 1\n", true).is_err());
    assert!(layout("%v{hex}\n").read(b"xy\n", true).is_err());
    assert!(layout("%V{big32}%v").read(&[0xff; 8], false).is_err());
    assert!(layout("%V{big32}%v").read(&[0, 0, 0, 9, 1], true).is_err());
}
