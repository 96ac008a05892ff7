package main

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var franz = []check{
	{"topics", franzTopics},
	{"configs", franzConfigs},
	{"codecs", franzCodecs},
	{"headers", franzHeaders},
	{"seek_by_time", franzSeekByTime},
	{"delete_records", franzDeleteRecords},
	{"two_members", franzTwoMembers},
	{"groups", franzGroups},
	{"walk", franzWalk},
}

var ctx = context.Background()

func franzClient(options ...kgo.Opt) *kgo.Client {
	base := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.AllowAutoTopicCreation(),
	}
	return get(kgo.NewClient(append(base, options...)...))
}

func franzCreate(admin *kadm.Client, topic string, partitions int32, configs map[string]*string) {
	answer := get(admin.CreateTopic(ctx, partitions, 1, configs, topic))
	must(answer.Err)
}

func record(topic string, partition int32, number int) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Value: []byte(strconv.Itoa(number))}
}

// franzRead gives the records of a topic by partition, up to its ends at the time of the call.
func franzRead(topic string) map[int32][]*kgo.Record {
	client := franzClient(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	defer client.Close()
	admin := kadm.NewClient(client)
	ends := get(admin.ListEndOffsets(ctx, topic))
	starts := get(admin.ListStartOffsets(ctx, topic))
	var wanted int64
	ends.Each(func(end kadm.ListedOffset) {
		must(end.Err)
		start, _ := starts.Lookup(topic, end.Partition)
		wanted += end.Offset - start.Offset
	})
	got := map[int32][]*kgo.Record{}
	var count int64
	until("end of every partition", 60, func() bool {
		if count < wanted {
			limit, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			client.PollFetches(limit).EachRecord(func(r *kgo.Record) {
				got[r.Partition] = append(got[r.Partition], r)
				count++
			})
		}
		return count >= wanted
	})
	return got
}

func values(records map[int32][]*kgo.Record) map[int32][]int {
	got := map[int32][]int{}
	for partition, list := range records {
		for _, r := range list {
			got[partition] = append(got[partition], get(strconv.Atoi(string(r.Value))))
		}
	}
	return got
}

func franzTopics() error {
	admin := kadm.NewClient(franzClient())
	defer admin.Close()
	franzCreate(admin, "made", 3, nil)
	same("partitions", len(get(admin.ListTopics(ctx, "made"))["made"].Partitions), 3)
	again, err := admin.CreateTopic(ctx, 1, 1, nil, "made")
	if err == nil {
		err = again.Err
	}
	same("made twice", err, kerr.TopicAlreadyExists)
	must(get(admin.UpdatePartitions(ctx, 5, "made")).Error())
	same("partitions", len(get(admin.ListTopics(ctx, "made"))["made"].Partitions), 5)
	must(get(admin.DeleteTopics(ctx, "made")).Error())
	until("no topic", 30, func() bool { return !get(admin.ListTopics(ctx)).Has("made") })
	return nil
}

func franzConfigs() error {
	admin := kadm.NewClient(franzClient())
	defer admin.Close()
	hour := "3600000"
	franzCreate(admin, "configured", 1, map[string]*string{"retention.ms": &hour})
	value := func() string {
		for _, config := range get(get(admin.DescribeTopicConfigs(ctx, "configured")).On("configured", nil)).Configs {
			if config.Key == "retention.ms" {
				return config.MaybeValue()
			}
		}
		return ""
	}
	same("retention.ms", value(), hour)
	two := "7200000"
	for _, answer := range get(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &two}}, "configured")) {
		must(answer.Err)
	}
	same("retention.ms", value(), two)
	for _, answer := range get(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.DeleteConfig, Name: "retention.ms"}}, "configured")) {
		must(answer.Err)
	}
	same("retention.ms", value(), "604800000")
	return nil
}

func franzCodecs() error {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		topic := "codec-" + name
		client := franzClient(kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(20*time.Millisecond))
		var records []*kgo.Record
		for number := range 300 {
			records = append(records, record(topic, 0, number))
		}
		must(client.ProduceSync(ctx, records...).FirstErr())
		client.Close()
		same(name, values(franzRead(topic)), map[int32][]int{0: numbers(0, 300, 1)})
	}
	return nil
}

func franzHeaders() error {
	client := franzClient()
	defer client.Close()
	at := time.UnixMilli(1_700_000_000_123)
	sent := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "empty", Value: []byte{}}, {Key: "none"}}
	must(client.ProduceSync(ctx, &kgo.Record{Topic: "headers", Key: []byte("key"), Value: []byte("value"), Headers: sent, Timestamp: at}).FirstErr())
	must(client.ProduceSync(ctx, &kgo.Record{Topic: "headers", Key: []byte("gone")}).FirstErr())
	got := franzRead("headers")[0]
	same("headers", fmt.Sprintf("%q", got[0].Headers), fmt.Sprintf("%q", sent))
	same("timestamp", got[0].Timestamp.UnixMilli(), at.UnixMilli())
	same("tombstone", got[1].Value == nil && string(got[1].Key) == "gone", true)
	return nil
}

func franzSeekByTime() error {
	client := franzClient(kgo.ProducerLinger(20 * time.Millisecond))
	defer client.Close()
	base := time.Now().UnixMilli() - 100_000
	var records []*kgo.Record
	for number := range 100 {
		r := record("timed", 0, number)
		r.Timestamp = time.UnixMilli(base + int64(number)*100)
		records = append(records, r)
	}
	must(client.ProduceSync(ctx, records...).FirstErr())
	found, _ := get(kadm.NewClient(client).ListOffsetsAfterMilli(ctx, base+4_950, "timed")).Lookup("timed", 0)
	same("offset", found.Offset, int64(50))
	beyond, _ := get(kadm.NewClient(client).ListOffsetsAfterMilli(ctx, base+100_000_000, "timed")).Lookup("timed", 0)
	same("beyond", beyond.Offset, int64(100))
	largest, _ := get(kadm.NewClient(client).ListMaxTimestampOffsets(ctx, "timed")).Lookup("timed", 0)
	same("largest", largest.Offset, int64(99))
	return nil
}

func franzDeleteRecords() error {
	client := franzClient()
	defer client.Close()
	for number := range 10 {
		must(client.ProduceSync(ctx, record("trimmed", 0, number)).FirstErr())
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("trimmed", 0, 4, -1)
	must(get(kadm.NewClient(client).DeleteRecords(ctx, offsets)).Error())
	same("rest", values(franzRead("trimmed")), map[int32][]int{0: numbers(4, 10, 1)})
	return nil
}

// member polls until stopped, commits what it read, and keeps count of its partitions.
type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	owned  map[int32]bool
	done   chan struct{}
}

func (m *member) size() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.owned)
}

func (m *member) stop() {
	m.client.Close()
	<-m.done
}

func join(topic, group string, seen func(int), options ...kgo.Opt) *member {
	m := &member{owned: map[int32]bool{}, done: make(chan struct{})}
	change := func(owned bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, p := range partitions[topic] {
				if owned {
					m.owned[p] = true
				} else {
					delete(m.owned, p)
				}
			}
		}
	}
	m.client = franzClient(append(options,
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.FetchMaxWait(100*time.Millisecond), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)))...)
	go func() {
		defer close(m.done)
		for {
			limit, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
			fetches := m.client.PollFetches(limit)
			cancel()
			if fetches.IsClientClosed() {
				return
			}
			records := fetches.Records()
			if len(records) > 0 && m.client.CommitRecords(ctx, records...) == nil {
				for _, r := range records {
					seen(get(strconv.Atoi(string(r.Value))))
				}
			}
			m.client.AllowRebalance()
		}
	}()
	return m
}

func franzTwoMembers() error {
	for name, balancer := range map[string]kgo.GroupBalancer{"range": kgo.RangeBalancer(), "cooperative": kgo.CooperativeStickyBalancer()} {
		topic, group := "shared-"+name, "sharers-"+name
		client := franzClient()
		admin := kadm.NewClient(client)
		franzCreate(admin, topic, 4, nil)
		send := func(from, to int) {
			for number := from; number < to; number++ {
				client.Produce(ctx, record(topic, int32(number%4), number), nil)
			}
			must(client.Flush(ctx))
		}
		var mutex sync.Mutex
		var all []int
		seen := func(number int) {
			mutex.Lock()
			defer mutex.Unlock()
			all = append(all, number)
		}
		count := func() int {
			mutex.Lock()
			defer mutex.Unlock()
			return len(all)
		}
		send(0, 80)
		first := join(topic, group, seen, kgo.Balancers(balancer))
		until("all records", 30, func() bool { return first.size() == 4 && count() >= 80 })
		second := join(topic, group, seen, kgo.Balancers(balancer))
		until("even split", 60, func() bool { return first.size() == 2 && second.size() == 2 })
		send(80, 160)
		until("the rest", 30, func() bool { return count() >= 160 })
		second.stop()
		until("all partitions back", 60, func() bool { return first.size() == 4 })
		first.stop()
		sort.Ints(all)
		same("records", all, numbers(0, 160, 1))
		client.Close()
	}
	return nil
}

func franzGroups() error {
	client := franzClient()
	defer client.Close()
	admin := kadm.NewClient(client)
	must(client.ProduceSync(ctx, record("watched", 0, 1)).FirstErr())
	read := make(chan int, 10)
	m := join("watched", "watchers", func(n int) { read <- n })
	<-read
	about := get(admin.DescribeGroups(ctx, "watchers"))["watchers"]
	must(about.Err)
	same("state", fmt.Sprint(about.State, len(about.Members)), "Stable1")
	m.stop()
	same("listed", get(admin.ListGroups(ctx)).Groups(), []string{"sharers-cooperative", "sharers-range", "watchers"})
	at, _ := get(admin.FetchOffsets(ctx, "watchers")).Lookup("watched", 0)
	same("committed", at.At, int64(1))
	lag := get(admin.Lag(ctx, "watchers"))["watchers"]
	must(lag.Error())
	same("lag", lag.Lag.Total(), int64(0))
	back := kadm.Offsets{}
	back.AddOffset("watched", 0, 0, -1)
	must(get(admin.CommitOffsets(ctx, "watchers", back)).Error())
	at, _ = get(admin.FetchOffsets(ctx, "watchers")).Lookup("watched", 0)
	same("moved", at.At, int64(0))
	must(get(admin.DeleteGroups(ctx, "watchers")).Error())
	same("listed", get(admin.ListGroups(ctx)).Groups(), []string{"sharers-cooperative", "sharers-range"})
	return nil
}

func franzWalk() error {
	client := franzClient(kgo.RecordDeliveryTimeout(60*time.Second), kgo.ProducerLinger(5*time.Millisecond))
	franzCreate(kadm.NewClient(client), "walk", 3, nil)
	var mutex sync.Mutex
	var failed error
	half := make(chan struct{})
	acked := 0
	for number := range 9_000 {
		client.Produce(ctx, record("walk", int32(number%3), number), func(_ *kgo.Record, err error) {
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				failed = err
			}
			acked++
			if acked == 3_000 {
				close(half)
			}
		})
		if number == 6_000 {
			<-half
			restart()
		}
	}
	must(client.Flush(ctx))
	must(failed)
	client.Close()
	restart()
	exactlyOnce(values(franzRead("walk")), map[int32][]int{0: numbers(0, 9_000, 3), 1: numbers(1, 9_000, 3), 2: numbers(2, 9_000, 3)})
	return nil
}
