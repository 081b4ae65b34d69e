package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A member as a child process: the partitions it has, and the values it has read.
type member struct {
	process  *exec.Cmd
	mutex    sync.Mutex
	assigned []int32
	values   map[string]bool
}

// What a member says: either of the two.
type event struct {
	Assigned []int32
	Value    *string
}

func (c client) group() error {
	group := named("group")
	topic, err := c.makeTopic("group", 4)
	if err != nil {
		return err
	}
	var members [2]*member
	for n := range members {
		if members[n], err = c.startMember(topic, group); err != nil {
			return err
		}
		defer members[n].kill()
	}
	one, other := members[0], members[1]
	err = c.waitUntil("two members share four partitions", func() bool {
		shared := append(one.partitions(), other.partitions()...)
		slices.Sort(shared)
		return len(one.partitions()) == 2 && slices.Equal(shared, []int32{0, 1, 2, 3})
	})
	if err != nil {
		return err
	}
	say(map[string]any{"assigned": []any{one.partitions(), other.partitions()}})
	wanted, err := c.sendAll(topic, "first")
	if err != nil {
		return err
	}
	if err := c.waitUntil("both read everything together", func() bool { return haveAll(wanted, one, other) }); err != nil {
		return err
	}
	other.kill()
	second, err := c.sendAll(topic, "second")
	if err != nil {
		return err
	}
	wanted = append(wanted, second...)
	if err := c.waitUntil("the survivor has every partition", func() bool { return len(one.partitions()) == 4 }); err != nil {
		return err
	}
	if err := c.waitUntil("nothing is lost", func() bool { return haveAll(wanted, one, other) }); err != nil {
		return err
	}
	say(map[string]any{"survivor": one.partitions(), "records": len(wanted)})
	return nil
}

func (c client) sendAll(topic, prefix string) ([]string, error) {
	var values []string
	var records []*kgo.Record
	for n := range 200 {
		values = append(values, fmt.Sprintf("%s %d", prefix, n))
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(n % 4), Value: []byte(values[n])})
	}
	return values, c.send(records)
}

func (c client) startMember(topic, group string) (*member, error) {
	m := &member{process: exec.Command(os.Args[0], c.bootstrap, "member", topic, group), values: map[string]bool{}}
	m.process.Stderr = os.Stderr
	lines, err := m.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	go func() {
		for scanner := bufio.NewScanner(lines); scanner.Scan(); {
			var said event
			if json.Unmarshal(scanner.Bytes(), &said) == nil {
				m.hear(said)
			}
		}
	}()
	return m, m.process.Start()
}

func (m *member) hear(said event) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if said.Value != nil {
		m.values[*said.Value] = true
	} else {
		m.assigned = said.Assigned
	}
}

func (m *member) partitions() []int32 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return slices.Clone(m.assigned)
}

func (m *member) has(value string) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.values[value]
}

func (m *member) kill() {
	m.process.Process.Kill()
	m.process.Wait()
}

func haveAll(wanted []string, one, other *member) bool {
	return !slices.ContainsFunc(wanted, func(value string) bool { return !one.has(value) && !other.has(value) })
}

func (c client) member(topic, group string) error {
	var assigned []int32
	tell := func() { say(map[string]any{"assigned": assigned}) }
	gained := func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
		assigned = append(assigned, added[topic]...)
		slices.Sort(assigned)
		tell()
	}
	lost := func(_ context.Context, _ *kgo.Client, removed map[string][]int32) {
		assigned = slices.DeleteFunc(assigned, func(p int32) bool { return slices.Contains(removed[topic], p) })
		tell()
	}
	cl, err := c.connect(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.OnPartitionsAssigned(gained), kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost))
	if err != nil {
		return err
	}
	defer cl.Close()
	for {
		fetches := cl.PollFetches(c.ctx)
		if err := c.ctx.Err(); err != nil {
			return err
		}
		for _, record := range fetches.Records() {
			say(map[string]any{"value": string(record.Value), "offset": record.Offset})
		}
		if err := cl.CommitUncommittedOffsets(c.ctx); err != nil {
			fmt.Fprintln(os.Stderr, "commit:", err)
		}
	}
}
