package main

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var saramaChecks = []check{
	{"topics", saramaTopics},
	{"configs", saramaConfigs},
	{"codecs", saramaCodecs},
	{"headers", saramaHeaders},
	{"seek_by_time", saramaSeekByTime},
	{"delete_records", saramaDeleteRecords},
	{"two_members", saramaTwoMembers},
	{"walk", saramaWalk},
}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Retry.Max = 100
	config.Producer.Retry.Backoff = 50 * time.Millisecond
	config.Metadata.Retry.Max = 100
	config.Metadata.Retry.Backoff = 50 * time.Millisecond
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	return config
}

func saramaAdmin() sarama.ClusterAdmin {
	return get(sarama.NewClusterAdmin([]string{bootstrap}, saramaConfig()))
}

func saramaCreate(topic string, partitions int32, configs map[string]*string) {
	admin := saramaAdmin()
	defer admin.Close()
	must(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}, false))
}

func saramaMessage(topic string, partition int32, number int) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(strconv.Itoa(number))}
}

func saramaSend(config *sarama.Config, messages ...*sarama.ProducerMessage) {
	producer := get(sarama.NewSyncProducer([]string{bootstrap}, config))
	defer producer.Close()
	must(producer.SendMessages(messages))
}

func saramaRead(topic string) map[int32][]*sarama.ConsumerMessage {
	client := get(sarama.NewClient([]string{bootstrap}, saramaConfig()))
	defer client.Close()
	consumer := get(sarama.NewConsumerFromClient(client))
	defer consumer.Close()
	got := map[int32][]*sarama.ConsumerMessage{}
	deadline := time.After(60 * time.Second)
	for _, partition := range get(client.Partitions(topic)) {
		end := get(client.GetOffset(topic, partition, sarama.OffsetNewest))
		begin := get(client.GetOffset(topic, partition, sarama.OffsetOldest))
		if begin == end {
			continue
		}
		reader := get(consumer.ConsumePartition(topic, partition, sarama.OffsetOldest))
		for next := begin; next < end; {
			select {
			case message := <-reader.Messages():
				got[partition] = append(got[partition], message)
				next = message.Offset + 1
			case <-deadline:
				panic(errors.New("no end of every partition after 60 s"))
			}
		}
		must(reader.Close())
	}
	return got
}

func saramaValues(messages map[int32][]*sarama.ConsumerMessage) map[int32][]int {
	got := map[int32][]int{}
	for partition, list := range messages {
		for _, m := range list {
			got[partition] = append(got[partition], get(strconv.Atoi(string(m.Value))))
		}
	}
	return got
}

func saramaTopics() error {
	admin := saramaAdmin()
	defer admin.Close()
	saramaCreate("made", 3, nil)
	same("partitions", get(admin.ListTopics())["made"].NumPartitions, int32(3))
	err := admin.CreateTopic("made", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)
	same("made twice", errors.Is(err, sarama.ErrTopicAlreadyExists), true)
	must(admin.CreatePartitions("made", 5, nil, false))
	same("partitions", get(admin.ListTopics())["made"].NumPartitions, int32(5))
	must(admin.DeleteTopic("made"))
	until("no topic", 30, func() bool { _, there := get(admin.ListTopics())["made"]; return !there })
	brokers, controller, err := admin.DescribeCluster()
	must(err)
	same("brokers", []int32{int32(len(brokers)), controller}, []int32{1, 1})
	return nil
}

func saramaConfigs() error {
	admin := saramaAdmin()
	defer admin.Close()
	hour, two := "3600000", "7200000"
	saramaCreate("configured", 1, map[string]*string{"retention.ms": &hour})
	value := func() string {
		entries := get(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "configured", ConfigNames: []string{"retention.ms"}}))
		return entries[0].Value
	}
	same("retention.ms", value(), hour)
	must(admin.IncrementalAlterConfig(sarama.TopicResource, "configured", map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &two},
	}, false))
	same("retention.ms", value(), two)
	return nil
}

func saramaCodecs() error {
	for _, codec := range []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
	} {
		topic := "codec-" + codec.String()
		config := saramaConfig()
		config.Producer.Compression = codec
		var messages []*sarama.ProducerMessage
		for number := range 300 {
			messages = append(messages, saramaMessage(topic, 0, number))
		}
		saramaSend(config, messages...)
		same(topic, saramaValues(saramaRead(topic)), map[int32][]int{0: numbers(0, 300, 1)})
	}
	return nil
}

func saramaHeaders() error {
	at := time.UnixMilli(1_700_000_000_123)
	saramaSend(saramaConfig(), &sarama.ProducerMessage{
		Topic: "headers", Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder("value"), Timestamp: at,
		Headers: []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte("2")}},
	})
	saramaSend(saramaConfig(), &sarama.ProducerMessage{Topic: "headers", Key: sarama.StringEncoder("gone")})
	got := saramaRead("headers")[0]
	same("record", string(got[0].Key)+string(got[0].Value)+string(got[0].Headers[0].Value)+string(got[0].Headers[1].Value), "keyvalue12")
	same("timestamp", got[0].Timestamp.UnixMilli(), at.UnixMilli())
	same("tombstone", string(got[1].Key)+string(got[1].Value), "gone")
	return nil
}

func saramaSeekByTime() error {
	base := time.Now().UnixMilli() - 100_000
	var messages []*sarama.ProducerMessage
	for number := range 100 {
		message := saramaMessage("timed", 0, number)
		message.Timestamp = time.UnixMilli(base + int64(number)*100)
		messages = append(messages, message)
	}
	saramaSend(saramaConfig(), messages...)
	client := get(sarama.NewClient([]string{bootstrap}, saramaConfig()))
	defer client.Close()
	same("offset", get(client.GetOffset("timed", 0, base+4_950)), int64(50))
	return nil
}

func saramaDeleteRecords() error {
	var messages []*sarama.ProducerMessage
	for number := range 10 {
		messages = append(messages, saramaMessage("trimmed", 0, number))
	}
	for _, message := range messages {
		saramaSend(saramaConfig(), message)
	}
	admin := saramaAdmin()
	defer admin.Close()
	must(admin.DeleteRecords("trimmed", map[int32]int64{0: 4}))
	same("rest", saramaValues(saramaRead("trimmed")), map[int32][]int{0: numbers(4, 10, 1)})
	return nil
}

// saramaMember counts its partitions and marks what it reads.
type saramaMember struct {
	group sarama.ConsumerGroup
	mutex sync.Mutex
	owned int
	seen  func(int)
	done  chan struct{}
	stop  context.CancelFunc
}

func (m *saramaMember) size() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.owned
}

func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = 0
	for _, partitions := range session.Claims() {
		m.owned += len(partitions)
	}
	return nil
}

func (m *saramaMember) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	return nil
}

func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		session.MarkMessage(message, "")
		m.seen(get(strconv.Atoi(string(message.Value))))
	}
	return nil
}

func saramaJoin(topic, group string, seen func(int)) *saramaMember {
	within, stop := context.WithCancel(ctx)
	m := &saramaMember{group: get(sarama.NewConsumerGroup([]string{bootstrap}, group, saramaConfig())), seen: seen, done: make(chan struct{}), stop: stop}
	go func() {
		defer close(m.done)
		for within.Err() == nil {
			if m.group.Consume(within, []string{topic}, m) != nil {
				time.Sleep(20 * time.Millisecond)
			}
		}
	}()
	return m
}

func (m *saramaMember) leave() {
	m.stop()
	<-m.done
	must(m.group.Close())
}

func saramaTwoMembers() error {
	saramaCreate("shared", 4, nil)
	send := func(from, to int) {
		var messages []*sarama.ProducerMessage
		for number := from; number < to; number++ {
			messages = append(messages, saramaMessage("shared", int32(number%4), number))
		}
		saramaSend(saramaConfig(), messages...)
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
	first := saramaJoin("shared", "sharers", seen)
	until("all records", 30, func() bool { return first.size() == 4 && count() >= 80 })
	second := saramaJoin("shared", "sharers", seen)
	until("even split", 60, func() bool { return first.size() == 2 && second.size() == 2 })
	send(80, 160)
	until("the rest", 30, func() bool { return count() >= 160 })
	admin := saramaAdmin()
	defer admin.Close()
	about := get(admin.DescribeConsumerGroups([]string{"sharers"}))[0]
	same("state", about.State+strconv.Itoa(len(about.Members)), "Stable2")
	second.leave()
	until("all partitions back", 60, func() bool { return first.size() == 4 })
	first.leave()
	sort.Ints(all)
	same("records", all, numbers(0, 160, 1))
	offsets := get(admin.ListConsumerGroupOffsets("sharers", map[string][]int32{"shared": {0, 1, 2, 3}}))
	for partition := range int32(4) {
		same("committed", offsets.GetBlock("shared", partition).Offset, int64(40))
	}
	must(admin.DeleteConsumerGroup("sharers"))
	_, there := get(admin.ListConsumerGroups())["sharers"]
	same("deleted", there, false)
	return nil
}

func saramaWalk() error {
	saramaCreate("walk", 3, nil)
	config := saramaConfig()
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Net.MaxOpenRequests = 1
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	producer := get(sarama.NewAsyncProducer([]string{bootstrap}, config))
	acked := map[int32][]int{}
	third, all := make(chan struct{}), make(chan error, 1)
	go func() {
		for count := 1; count <= 6_000; count++ {
			select {
			case message := <-producer.Successes():
				number := get(strconv.Atoi(string(get(message.Value.Encode()))))
				acked[message.Partition] = append(acked[message.Partition], number)
			case failed := <-producer.Errors():
				all <- failed
				return
			}
			if count == 1_500 {
				close(third)
			}
		}
		all <- nil
	}()
	for number := range 6_000 {
		producer.Input() <- saramaMessage("walk", int32(number%3), number)
		if number == 3_000 {
			<-third
			restart()
		}
	}
	must(<-all)
	must(producer.Close())
	restart()
	want := map[int32][]int{0: numbers(0, 6_000, 3), 1: numbers(1, 6_000, 3), 2: numbers(2, 6_000, 3)}
	for partition := range acked {
		slices.Sort(acked[partition])
	}
	same("acknowledged", acked, want)
	exactlyOnce(saramaValues(saramaRead("walk")), want)
	return nil
}
