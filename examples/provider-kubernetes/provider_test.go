package main

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
	corev1 "k8s.io/api/core/v1"
)

// bench is a reporter to a broker in memory.
type bench struct {
	t        *testing.T
	broker   *transporttest.Memory
	reporter *status.Reporter
	seen     int
}

func newBench(t *testing.T, broker *transporttest.Memory, spool status.Spool) *bench {
	t.Helper()
	b := &bench{t: t, broker: broker}
	var err error
	b.reporter, err = status.NewReporter(b.broker, status.ReporterOptions{Provider: "cluster-1", Window: time.Millisecond, Spool: spool, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

func (b *bench) close() { b.reporter.Close(context.Background()) }

// expect waits for a report.
func (b *bench) expect(id string, want status.Status) status.Report {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	for {
		letters, err := b.broker.Until(ctx, b.seen+1)
		if err != nil {
			b.t.Fatalf("%s of %s wasn't reported: %v", want, id, err)
		}
		r, err := status.Decode(letters[b.seen].Letter)
		if err != nil {
			b.t.Fatal(err)
		}
		b.seen++
		if r.ResourceID == id && r.Status == want {
			return r
		}
	}
}

// all waits until there are n reports, and returns what there is, as "id STATUS".
func (b *bench) all(n int) (list []string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	letters, err := b.broker.Until(ctx, n)
	for _, l := range letters {
		if r, err := status.Decode(l.Letter); err == nil {
			list = append(list, r.ResourceID+" "+string(r.Status))
		}
	}
	if err != nil {
		b.t.Fatalf("%v; there is %q", err, list)
	}
	return list
}

func openSpool(t *testing.T, path string) status.Spool {
	t.Helper()
	spool, err := status.OpenFileSpool(path)
	if err != nil {
		t.Fatal(err)
	}
	return spool
}

func TestPodsThatWentWhileTheProcessWasDownAreReported(t *testing.T) {
	c, broker, path := newCluster(t), transporttest.New(), filepath.Join(t.TempDir(), "spool")
	c.pod("web", nil, phase(corev1.PodRunning))
	c.pod("db", nil, phase(corev1.PodRunning))
	b := newBench(t, broker, openSpool(t, path))
	stop := c.watch(Options{Reporter: b.reporter})
	if _, err := broker.Until(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	stop()
	b.close()
	c.delete("web")

	b = newBench(t, broker, openSpool(t, path))
	defer c.watch(Options{Reporter: b.reporter})()
	b.expect("uid-web", status.Deleted)
	if known := b.reporter.Known("container"); len(known) != 1 || known[0] != "uid-db" {
		t.Errorf("known: %v", known)
	}
}

func TestALabelCanBeTheIDOfSeveralPods(t *testing.T) {
	c, b := newCluster(t), newBench(t, transporttest.New(), nil)
	mine := map[string]string{"cloudbus.id": "c-42"}
	c.pod("a", mine, phase(corev1.PodRunning))
	c.pod("stranger", nil, phase(corev1.PodFailed))
	defer c.watch(Options{Reporter: b.reporter, IDLabel: "cloudbus.id"})()
	b.expect("c-42", status.Running)
	c.pod("b", mine, phase(corev1.PodPending)) // the new one of a roll-out
	b.expect("c-42", status.Pending)
	c.set("b", phase(corev1.PodRunning))
	b.expect("c-42", status.Running)
	c.delete("a")
	c.set("b", phase(corev1.PodFailed))
	b.expect("c-42", status.Failed)
	c.delete("b")
	b.expect("c-42", status.Deleted)
	for _, l := range b.broker.Letters() {
		if r, err := status.Decode(l.Letter); err != nil || r.ResourceID != "c-42" {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// A StatefulSet gives a new pod the name of the one before.
func TestAPodThatTookANameWhileTheWatchWasAwayIsAnotherOne(t *testing.T) {
	for idLabel, want := range map[string][]string{
		"":            {"uid-web-0 RUNNING", "uid-new PENDING", "uid-web-0 DELETED", "uid-new DELETED"},
		"cloudbus.id": {"c-42 RUNNING", "c-42 PENDING", "c-42 DELETED"},
	} {
		t.Run("id "+idLabel, func(t *testing.T) {
			c, b := newCluster(t), newBench(t, transporttest.New(), nil)
			mine := map[string]string{"cloudbus.id": "c-42"}
			c.pod("web-0", mine, phase(corev1.PodRunning))
			defer c.watch(Options{Reporter: b.reporter, IDLabel: idLabel})()
			b.all(1)
			c.cut(true)
			c.delete("web-0")
			c.podOf("uid-new", "web-0", mine, phase(corev1.PodPending))
			c.cut(false)
			b.all(len(want) - 1)
			<-c.begun
			c.delete("web-0")
			got := b.all(len(want))
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("reported %q, want %q", got, want)
			}
		})
	}
}

// The reporter keeps what the broker has yet to hear, and the process may be started anew meanwhile.
func TestAPodThatWentWhileTheBrokerWasAwayIsReported(t *testing.T) {
	c, broker, path := newCluster(t), transporttest.New(), filepath.Join(t.TempDir(), "spool")
	c.pod("web", nil, phase(corev1.PodRunning))
	b := newBench(t, broker, openSpool(t, path))
	stop := c.watch(Options{Reporter: b.reporter})
	b.expect("uid-web", status.Running)
	broker.Away(true)
	c.delete("web")
	for b.reporter.Stats().Waiting == 0 {
		runtime.Gosched()
	}
	stop()
	b.close()

	b = newBench(t, broker, openSpool(t, path))
	defer c.watch(Options{Reporter: b.reporter})()
	broker.Away(false)
	b.expect("uid-web", status.Deleted)
}

func TestFlagsAreChecked(t *testing.T) {
	for says, args := range map[string][]string{
		"-provider is required": {},
		"flag provided but not": {"-provider", "x", "-nosuch"},
		`"serve" is no flag`:    {"-provider", "x", "serve", "-spool", "file"},
	} {
		if _, err := parseFlags(args); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
	if f, err := parseFlags([]string{"-provider", "x"}); err != nil || f.provider != "x" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestWords(t *testing.T) {
	both := waiting(corev1.PodRunning, "CrashLoopBackOff")
	both.InitContainerStatuses = waiting("", "ErrImagePull").ContainerStatuses
	lost := phase(corev1.PodRunning)
	lost.Reason = "NodeLost"
	for name, c := range map[string]struct {
		status corev1.PodStatus
		word   string
		want   status.Status
		known  bool
	}{
		"new":                     {phase(""), "Pending", status.Pending, true},
		"pending":                 {phase(corev1.PodPending), "Pending", status.Pending, true},
		"creating":                {waiting(corev1.PodPending, "ContainerCreating"), "ContainerCreating", status.Pending, true},
		"initializing":            {waiting(corev1.PodPending, "PodInitializing"), "Pending", status.Pending, true},
		"no image":                {waiting(corev1.PodRunning, "ImagePullBackOff"), "ImagePullBackOff", status.Pending, true},
		"wrong configuration":     {waiting(corev1.PodPending, "CreateContainerConfigError"), "CreateContainerConfigError", status.Failed, false},
		"running":                 {phase(corev1.PodRunning), "Running", status.Running, true},
		"a sidecar ended well":    {terminated(corev1.PodRunning, "Completed", 0), "Running", status.Running, true},
		"crashed":                 {terminated(corev1.PodRunning, "Error", 1), "Failed", status.Failed, true},
		"killed":                  {terminated(corev1.PodRunning, "OOMKilled", 137), "OOMKilled", status.Failed, true},
		"killed for good":         {terminated(corev1.PodFailed, "OOMKilled", 137), "OOMKilled", status.Failed, true},
		"the worst of several":    {both, "CrashLoopBackOff", status.Failed, true},
		"succeeded":               {terminated(corev1.PodSucceeded, "Completed", 0), "Succeeded", status.Succeeded, true},
		"failed":                  {phase(corev1.PodFailed), "Failed", status.Failed, true},
		"evicted":                 {corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."}, "Failed", status.Failed, true},
		"its node is lost":        {lost, "Unknown", status.Unknown, true},
		"nobody knows any longer": {phase(corev1.PodUnknown), "Unknown", status.Unknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			word, _ := wordOf(&corev1.Pod{Status: c.status})
			if s, known := status.Kubernetes.Map(word); word != c.word || s != c.want || known != c.known {
				t.Errorf("%q is %s, %v", word, s, known)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	b, c := newBench(t, transporttest.New(), nil), newCluster(t)
	for name, o := range map[string]Options{
		"no client":   {Reporter: b.reporter},
		"no reporter": {Client: c},
		"selector":    {Reporter: b.reporter, Client: c, Selector: "a in"},
	} {
		if _, err := NewProvider(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
