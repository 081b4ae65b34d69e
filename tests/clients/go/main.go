// What a stranger does with franz-go: one scenario a run, JSON lines out, a reason on standard error.
//
//	usage: client BOOTSTRAP codecs|group|resume|time|admin|idempotent
//	       client BOOTSTRAP transactions|exactly_once|fencing|timeout|killed
//	       client BOOTSTRAP member TOPIC GROUP      one member of `group`, as a process of its own
//
// killed says {"kill":"server"} when the server is to be killed, and goes on when it hears a line on standard input.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 60 * time.Second

// A client of one server.
type client struct {
	bootstrap string
	ctx       context.Context
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: client BOOTSTRAP SCENARIO")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	c := client{os.Args[1], ctx}
	scenarios := map[string]func() error{
		"codecs": c.codecs, "group": c.group, "resume": c.resume,
		"time": c.time, "admin": c.admin, "idempotent": c.idempotent,
		"transactions": c.transactions, "exactly_once": c.exactlyOnce, "fencing": c.fencing,
		"timeout": c.timeout, "killed": c.killed,
		"member": func() error { return c.member(os.Args[3], os.Args[4]) },
	}
	scenario, known := scenarios[os.Args[2]]
	if !known {
		fail("no scenario is called " + os.Args[2])
	}
	if err := scenario(); err != nil {
		fail(os.Args[2] + ": " + err.Error())
	}
}

func (c client) codecs() error {
	codecs := []struct {
		name  string
		codec kgo.CompressionCodec
	}{
		{"none", kgo.NoCompression()}, {"gzip", kgo.GzipCompression()}, {"snappy", kgo.SnappyCompression()},
		{"lz4", kgo.Lz4Compression()}, {"zstd", kgo.ZstdCompression()},
	}
	for _, each := range codecs {
		topic, err := c.makeTopic("codecs", 1)
		if err != nil {
			return err
		}
		var sent []*kgo.Record
		for n := range 500 {
			text := fmt.Sprintf("%d of many that are much alike", n)
			header := kgo.RecordHeader{Key: "n", Value: []byte(text)}
			sent = append(sent, &kgo.Record{Topic: topic, Key: []byte(text), Value: []byte(text), Headers: []kgo.RecordHeader{header}})
		}
		if err := c.send(sent, kgo.ProducerBatchCompression(each.codec), kgo.ProducerLinger(20*time.Millisecond)); err != nil {
			return err
		}
		found, err := c.readFromStart(topic, len(sent))
		if err != nil {
			return err
		}
		for n, record := range found {
			got := []any{string(record.Key), string(record.Value), record.Headers, record.Offset}
			wanted := []any{string(sent[n].Key), string(sent[n].Value), sent[n].Headers, int64(n)}
			if err := expect(got, wanted, "record in "+each.name); err != nil {
				return err
			}
		}
		say(map[string]any{"codec": each.name, "records": len(found)})
	}
	return nil
}

func (c client) resume() error {
	group := named("resume")
	topic, err := c.makeTopic("resume", 1)
	if err != nil {
		return err
	}
	if err := c.send(numbers(topic, 100)); err != nil {
		return err
	}
	if err := c.readInGroup(topic, group, 0, 40); err != nil {
		return err
	}
	cl, err := c.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 40, LeaderEpoch: -1, Metadata: "noted: ä"})
	if err := adm.CommitAllOffsets(c.ctx, group, offsets); err != nil {
		return err
	}
	if err := c.readInGroup(topic, group, 40, 60); err != nil {
		return err
	}
	committed, err := adm.FetchOffsets(c.ctx, group)
	if err != nil {
		return err
	}
	kept, _ := committed.Lookup(topic, 0)
	say(map[string]any{"resumed_at": kept.At, "metadata": kept.Metadata})
	return expect([]any{kept.At, kept.Metadata}, []any{int64(40), "noted: ä"}, "what was committed")
}

func (c client) readInGroup(topic, group string, from, count int) error {
	cl, err := c.connect(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer cl.Close()
	found, err := c.read(cl, count)
	if err != nil {
		return err
	}
	return expectNumbers(found, from)
}

func (c client) time() error {
	topic, err := c.makeTopic("time", 1)
	if err != nil {
		return err
	}
	begin := time.Now().Add(-1000 * time.Second).Truncate(time.Millisecond)
	sent := numbers(topic, 100)
	for n, record := range sent {
		record.Timestamp = begin.Add(time.Duration(n) * time.Second)
	}
	if err := c.send(sent, kgo.ProducerLinger(20*time.Millisecond)); err != nil {
		return err
	}
	cl, err := c.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	asked := begin.Add(41_500 * time.Millisecond)
	listed, err := adm.ListOffsetsAfterMilli(c.ctx, asked.UnixMilli(), topic)
	if err != nil {
		return err
	}
	found, _ := listed.Lookup(topic, 0)
	if err := expect([]int64{found.Offset, found.Timestamp - begin.UnixMilli()}, []int64{42, 42_000}, "first record at or after the time"); err != nil {
		return err
	}
	ends, err := adm.ListEndOffsets(c.ctx, topic)
	if err != nil {
		return err
	}
	end, _ := ends.Lookup(topic, 0)
	if err := expect(end.Offset, int64(100), "end"); err != nil {
		return err
	}
	reader, err := c.connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(asked.UnixMilli())))
	if err != nil {
		return err
	}
	defer reader.Close()
	records, err := c.read(reader, 58)
	if err != nil {
		return err
	}
	say(map[string]any{"offset": found.Offset, "timestamp": found.Timestamp - begin.UnixMilli()})
	return expectNumbers(records, 42)
}

func (c client) admin() error {
	topic, group, retention := named("admin"), named("admin"), "86400000"
	cl, err := c.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if _, err := adm.CreateTopic(c.ctx, 3, 1, map[string]*string{"retention.ms": &retention}, topic); err != nil {
		return err
	}
	topics, err := adm.ListTopics(c.ctx)
	if err != nil {
		return err
	}
	if err := expect(len(topics[topic].Partitions), 3, "partitions"); err != nil {
		return err
	}
	configs, err := adm.DescribeTopicConfigs(c.ctx, topic)
	if err != nil {
		return err
	}
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			if err := expect(config.MaybeValue(), retention, "retention.ms"); err != nil {
				return err
			}
			retention = "seen"
		}
	}
	if err := expect(retention, "seen", "retention.ms"); err != nil {
		return err
	}
	metadata, err := adm.BrokerMetadata(c.ctx)
	if err != nil {
		return err
	}
	if err := expect(len(metadata.Brokers), 1, "brokers"); err != nil {
		return err
	}
	if err := c.administerGroup(adm, topic, group); err != nil {
		return err
	}
	if _, err := adm.DeleteTopic(c.ctx, topic); err != nil {
		return err
	}
	say(map[string]any{"partitions": 3, "brokers": len(metadata.Brokers)})
	return c.waitUntil("topic is gone", func() bool {
		topics, err := adm.ListTopics(c.ctx)
		return err == nil && !topics.Has(topic)
	})
}

func (c client) administerGroup(adm *kadm.Client, topic, group string) error {
	member, err := c.connect(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic))
	if err != nil {
		return err
	}
	defer member.Close()
	go member.PollFetches(c.ctx)
	err = c.waitUntil("a member has the partitions", func() bool {
		described, err := adm.DescribeGroups(c.ctx, group)
		if err != nil {
			return false
		}
		found := described[group]
		return found.State == "Stable" && len(found.AssignedPartitions()[topic]) == 3
	})
	if err != nil {
		return err
	}
	groups, err := adm.ListGroups(c.ctx)
	if err != nil {
		return err
	}
	_, listed := groups[group]
	if err := expect(listed, true, "group is listed"); err != nil {
		return err
	}
	_, err = adm.DeleteGroup(c.ctx, group)
	if err := expect(errors.Is(err, kerr.NonEmptyGroup), true, "a group with a member stays"); err != nil {
		return err
	}
	if err := member.LeaveGroupContext(c.ctx); err != nil {
		return err
	}
	_, err = adm.DeleteGroup(c.ctx, group)
	return err
}

func (c client) idempotent() error {
	topic, err := c.makeTopic("idempotent", 1)
	if err != nil {
		return err
	}
	// franz-go is idempotent unless told otherwise.
	if err := c.send(numbers(topic, 1000), kgo.MaxBufferedRecords(50)); err != nil {
		return err
	}
	found, err := c.readFromStart(topic, 1000)
	if err != nil {
		return err
	}
	say(map[string]any{"records": len(found)})
	return expectNumbers(found, 0)
}

func (c client) connect(options ...kgo.Opt) (*kgo.Client, error) {
	security, err := securityOptions()
	if err != nil {
		return nil, err
	}
	return kgo.NewClient(append(append(options, kgo.SeedBrokers(c.bootstrap)), security...)...)
}

func (c client) makeTopic(scenario string, partitions int32) (string, error) {
	cl, err := c.connect()
	if err != nil {
		return "", err
	}
	defer cl.Close()
	topic := named(scenario)
	_, err = kadm.NewClient(cl).CreateTopic(c.ctx, partitions, 1, nil, topic)
	return topic, err
}

func (c client) send(records []*kgo.Record, options ...kgo.Opt) error {
	cl, err := c.connect(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.ProduceSync(c.ctx, records...).FirstErr()
}

func (c client) readFromStart(topic string, count int) ([]*kgo.Record, error) {
	cl, err := c.connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	return c.read(cl, count)
}

// The next count records, or as many as come in time.
func (c client) read(cl *kgo.Client, count int) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	var found []*kgo.Record
	for len(found) < count {
		fetches := cl.PollRecords(ctx, count-len(found))
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("after %d of %d records: %w", len(found), count, err)
		}
		found = append(found, fetches.Records()...)
	}
	return found, nil
}

func (c client) waitUntil(what string, holds func() bool) error {
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain: %s", patience, what)
		}
	}
	return nil
}

func numbers(topic string, count int) []*kgo.Record {
	var records []*kgo.Record
	for n := range count {
		records = append(records, &kgo.Record{Topic: topic, Value: fmt.Append(nil, n)})
	}
	return records
}

func expectNumbers(found []*kgo.Record, from int) error {
	for n, record := range found {
		if err := expect([]any{string(record.Value), record.Offset}, []any{fmt.Sprint(from + n), int64(from + n)}, "record"); err != nil {
			return err
		}
	}
	return nil
}

func expect(found, wanted any, what string) error {
	if !reflect.DeepEqual(found, wanted) {
		return fmt.Errorf("%s: found %v, wanted %v", what, found, wanted)
	}
	return nil
}

func named(scenario string) string {
	return "go." + scenario + "." + rand.Text()[:8]
}

func say(what map[string]any) {
	line, err := json.Marshal(what)
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(string(line))
}

func fail(reason string) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}
