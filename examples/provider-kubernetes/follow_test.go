package main

import (
	"context"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/container"
	corev1 "k8s.io/api/core/v1"
)

// TestAServerFollowsThePodsOfACluster goes from the cluster's API through the provider and NATS into a server's database.
func TestAServerFollowsThePodsOfACluster(t *testing.T) {
	s := newSite(t)
	c := newCluster(t)
	c.pod("web", nil, phase(corev1.PodPending))
	_, err := s.containers.Create(t.Context(), container.Container{Object: resources.Object{ID: "uid-web", Tenant: "acme", Name: "web"}})
	s.must(err)
	startProvider(t, c, s)
	s.expect("uid-web", status.Pending)
	for _, step := range []struct {
		say   string
		now   corev1.PodStatus
		want  status.Status
		raw   string
		state fsm.State
	}{
		{"runs", phase(corev1.PodRunning), status.Running, "Running", container.Running},
		{"is killed for want of memory", terminated(corev1.PodRunning, "OOMKilled", 137), status.Failed, "OOMKilled", container.Failed},
		{"runs again", phase(corev1.PodRunning), status.Running, "Running", container.Running},
		{"crashes over and over", waiting(corev1.PodRunning, "CrashLoopBackOff"), status.Failed, "CrashLoopBackOff", container.Failed},
		{"waits for another image", waiting(corev1.PodPending, "ImagePullBackOff"), status.Pending, "ImagePullBackOff", container.Pending},
		{"has come to its end", phase(corev1.PodSucceeded), status.Succeeded, "Succeeded", container.Succeeded},
	} {
		t.Logf("cluster    pod shop/web %s", step.say)
		c.set("web", step.now)
		seen, mine := s.expect("uid-web", step.want)
		if seen.Raw != step.raw || seen.Provider != "cluster-1" || mine.State != step.state {
			t.Errorf("observed %s (%s) by %s, own state %s; want %s (%s) and %s", seen.Status, seen.Raw, seen.Provider, mine.State, step.want, step.raw, step.state)
		}
	}
	t.Logf("cluster    pod shop/web is deleted while the provider can't watch")
	c.cut(true)
	c.delete("web")
	c.cut(false)
	seen, mine := s.expect("uid-web", status.Deleted)
	if seen.Raw != status.ContainerGone || mine.State != container.Deleted {
		t.Errorf("observed %s, own state %s", seen.Raw, mine.State)
	}
}

// startProvider runs a provider that reports to a site until the test ends.
func startProvider(t *testing.T, c *cluster, s *site) {
	t.Helper()
	transport := s.connect("provider cluster-1")
	reporter, err := status.NewReporter(transport, status.ReporterOptions{Provider: "cluster-1", Window: 20 * time.Millisecond, Logger: quiet})
	s.must(err)
	stop := c.watch(Options{Reporter: reporter})
	t.Cleanup(func() {
		stop()
		ctx := context.Background()
		s.must(reporter.Close(ctx))
		s.must(transport.Close(ctx))
	})
}
