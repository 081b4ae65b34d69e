package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What transactional producers and those who read after them may rely on.

var input = bufio.NewReader(os.Stdin)

func (c client) producer(id string, options ...kgo.Opt) (*kgo.Client, error) {
	return c.connect(append(options, kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
}

// Who asks for committed records gets all of them in their order and no others, and nothing of a transaction that is open.
func (c client) transactions() error {
	topic, err := c.makeTopic("transactions", 2)
	if err != nil {
		return err
	}
	cl, err := c.producer(topic)
	if err != nil {
		return err
	}
	defer cl.Close()
	var sent, kept []int
	for transaction := range 20 {
		values := rangeOf(transaction*10, transaction*10+10)
		isKept := transaction%3 != 1
		if err := c.transact(cl, topic, values, kgo.TransactionEndTry(isKept)); err != nil {
			return err
		}
		sent = append(sent, values...)
		if isKept {
			kept = append(kept, values...)
		}
	}
	if err := c.expectBoth(topic, kept, sent, "records"); err != nil {
		return err
	}
	open := []int{1000, 1001}
	if err := c.beginAndSend(cl, topic, open); err != nil {
		return err
	}
	sent = append(sent, open...)
	if err := c.expectBoth(topic, kept, sent, "records beside an open transaction"); err != nil {
		return err
	}
	if err := cl.EndTransaction(c.ctx, kgo.TryCommit); err != nil {
		return err
	}
	kept = append(kept, open...)
	say(map[string]any{"committed": len(kept), "sent": len(sent)})
	return c.expectBoth(topic, kept, sent, "records after the last transaction")
}

// Offsets and records of a transaction are kept together or not at all.
func (c client) exactlyOnce() error {
	source, err := c.makeTopic("exactly_once", 1)
	if err != nil {
		return err
	}
	target, err := c.makeTopic("exactly_once", 1)
	if err != nil {
		return err
	}
	if err := c.send(numbers(source, 100)); err != nil {
		return err
	}
	aborted := 0
	// After an abort the session reads again what it had read.
	for done, round := 0, 0; done < 100; round++ {
		part, ended, err := c.transform(source, target, round%3 == 1)
		if err != nil {
			return err
		}
		if ended == kgo.TryAbort {
			aborted++
			part = 0
		}
		done += part
		if err := c.expectCommitted(source, int64(done)); err != nil {
			return err
		}
	}
	say(map[string]any{"records": 100, "aborted": aborted})
	return c.expectRecords(target, kgo.ReadCommitted(), rangeOf(0, 100), "records made of records")
}

// Reads at most ten records of a group and writes them again in one transaction; gives how many.
func (c client) transform(source, target string, abort bool) (int, kgo.TransactionEndTry, error) {
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(c.bootstrap), kgo.TransactionalID(source),
		kgo.ConsumerGroup(source), kgo.ConsumeTopics(source), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, kgo.TryAbort, err
	}
	defer session.Close()
	fetches := session.PollRecords(c.ctx, 10)
	if err := fetches.Err(); err != nil {
		return 0, kgo.TryAbort, err
	}
	if err := session.Begin(); err != nil {
		return 0, kgo.TryAbort, err
	}
	for _, record := range fetches.Records() {
		if err := session.ProduceSync(c.ctx, &kgo.Record{Topic: target, Value: record.Value}).FirstErr(); err != nil {
			return 0, kgo.TryAbort, err
		}
	}
	wanted := kgo.TransactionEndTry(!abort)
	committed, err := session.End(c.ctx, wanted)
	if err != nil {
		return 0, kgo.TryAbort, err
	}
	return fetches.NumRecords(), kgo.TransactionEndTry(committed), expect(committed, !abort, "end of a transaction")
}

func (c client) expectCommitted(group string, wanted int64) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	return c.waitUntil("the offset is that of what was committed", func() bool {
		offsets, err := kadm.NewClient(cl).FetchOffsets(c.ctx, group)
		committed, _ := offsets.Lookup(group, 0)
		return err == nil && committed.At == wanted
	})
}

// A second producer of the same name ends what the first had begun, and the first can do no more.
func (c client) fencing() error {
	topic, err := c.makeTopic("fencing", 2)
	if err != nil {
		return err
	}
	zombie, err := c.producer(topic)
	if err != nil {
		return err
	}
	defer zombie.Close()
	successor, err := c.producer(topic)
	if err != nil {
		return err
	}
	defer successor.Close()
	if err := c.beginAndSend(zombie, topic, []int{0, 1}); err != nil {
		return err
	}
	if err := c.transact(successor, topic, []int{2, 3}, kgo.TryCommit); err != nil {
		return err
	}
	refused := zombie.EndTransaction(c.ctx, kgo.TryCommit)
	isFenced := errors.Is(refused, kerr.ProducerFenced) || errors.Is(refused, kerr.InvalidProducerEpoch)
	if err := expect(isFenced, true, fmt.Sprintf("%v is the error of a producer that was fenced", refused)); err != nil {
		return err
	}
	say(map[string]any{"refused": refused.Error()})
	return c.expectRecords(topic, kgo.ReadCommitted(), []int{2, 3}, "records of the successor")
}

// A transaction that is not ended in time is aborted, and holds up readers no longer.
func (c client) timeout() error {
	topic, err := c.makeTopic("timeout", 1)
	if err != nil {
		return err
	}
	slow, err := c.producer(topic, kgo.TransactionTimeout(3*time.Second))
	if err != nil {
		return err
	}
	defer slow.Close()
	if err := c.beginAndSend(slow, topic, []int{0}); err != nil {
		return err
	}
	if err := c.send([]*kgo.Record{{Topic: topic, Value: []byte("1")}}); err != nil {
		return err
	}
	reader, err := c.connect(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer reader.Close()
	found, err := c.read(reader, 1)
	if err != nil {
		return err
	}
	if err := expect(string(found[0].Value), "1", "record behind the transaction"); err != nil {
		return err
	}
	refused := slow.EndTransaction(c.ctx, kgo.TryCommit)
	if refused == nil {
		return errors.New("a transaction that was aborted is committed")
	}
	say(map[string]any{"refused": refused.Error()})
	return c.expectRecords(topic, kgo.ReadCommitted(), []int{1}, "records without the transaction")
}

// A transaction goes on over the end of the server: see main.go for what is said and heard.
func (c client) killed() error {
	topic, err := c.makeTopic("killed", 2)
	if err != nil {
		return err
	}
	cl, err := c.producer(topic)
	if err != nil {
		return err
	}
	defer cl.Close()
	steps := []func() error{
		func() error { return c.beginAndSend(cl, topic, rangeOf(0, 100)) },
		askToKillServer,
		func() error { return c.sendWith(cl, topic, rangeOf(100, 200)) },
		func() error { return cl.EndTransaction(c.ctx, kgo.TryCommit) },
		func() error { return c.beginAndSend(cl, topic, rangeOf(200, 300)) },
		askToKillServer,
		func() error { return cl.EndTransaction(c.ctx, kgo.TryAbort) },
		func() error { return c.transact(cl, topic, rangeOf(300, 400), kgo.TryCommit) },
		askToKillServer,
	}
	for number, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", number, err)
		}
	}
	kept := append(rangeOf(0, 200), rangeOf(300, 400)...)
	say(map[string]any{"committed": len(kept)})
	return c.expectBoth(topic, kept, rangeOf(0, 400), "records")
}

// Has the caller that runs this program kill the server and start it again.
func askToKillServer() error {
	say(map[string]any{"kill": "server"})
	_, err := input.ReadString('\n')
	return err
}

func (c client) transact(cl *kgo.Client, topic string, values []int, end kgo.TransactionEndTry) error {
	if err := c.beginAndSend(cl, topic, values); err != nil {
		return err
	}
	return cl.EndTransaction(c.ctx, end)
}

func (c client) beginAndSend(cl *kgo.Client, topic string, values []int) error {
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	return c.sendWith(cl, topic, values)
}

// Sends numbers to the partitions by turns, and waits until they are there.
func (c client) sendWith(cl *kgo.Client, topic string, values []int) error {
	partitions, err := c.partitionsOf(topic)
	if err != nil {
		return err
	}
	var records []*kgo.Record
	for _, value := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(value) % partitions, Value: fmt.Append(nil, value)})
	}
	return cl.ProduceSync(c.ctx, records...).FirstErr()
}

func (c client) partitionsOf(topic string) (int32, error) {
	cl, err := c.connect()
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	topics, err := kadm.NewClient(cl).ListTopics(c.ctx, topic)
	return int32(len(topics[topic].Partitions)), err
}

func (c client) expectBoth(topic string, kept, sent []int, what string) error {
	if err := c.expectRecords(topic, kgo.ReadCommitted(), kept, "committed "+what); err != nil {
		return err
	}
	return c.expectRecords(topic, kgo.ReadUncommitted(), sent, "all "+what)
}

// Reads until all that is wanted has come: a transaction is committed a moment before its records are there for who asks for
// committed ones. Then compares: each record once, and each partition in order.
func (c client) expectRecords(topic string, isolation kgo.IsolationLevel, wanted []int, what string) error {
	cl, err := c.connect(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer cl.Close()
	// What is too much comes after what is due.
	found, err := c.read(cl, len(wanted))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	ctx, cancel := context.WithTimeout(c.ctx, 300*time.Millisecond)
	defer cancel()
	found = append(found, cl.PollFetches(ctx).Records()...)
	partitions, err := c.partitionsOf(topic)
	if err != nil {
		return err
	}
	for partition := range partitions {
		var due, got []string
		for _, value := range wanted {
			if int32(value)%partitions == partition {
				due = append(due, fmt.Sprint(value))
			}
		}
		for _, record := range found {
			if record.Partition == partition {
				got = append(got, string(record.Value))
			}
		}
		if err := expect(got, due, fmt.Sprintf("%s of partition %d", what, partition)); err != nil {
			return err
		}
	}
	return nil
}

func rangeOf(from, to int) []int {
	var values []int
	for value := from; value < to; value++ {
		values = append(values, value)
	}
	return values
}
