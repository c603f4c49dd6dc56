package main

import (
	"fmt"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	corev1 "k8s.io/api/core/v1"
)

// Words of the table status.Kubernetes that pods don't say themselves.
const (
	wordFailed    = "Failed"
	wordOOMKilled = "OOMKilled"
)

// wordOf is what a pod says of itself, in a word of the table status.Kubernetes, and a text for people. A container that is worse off than its pod speaks for the pod.
func wordOf(pod *corev1.Pod) (word, message string) {
	word, message = string(pod.Status.Phase), pod.Status.Message
	switch {
	case pod.Status.Reason == "NodeLost":
		return string(corev1.PodUnknown), pod.Status.Message
	case word == "":
		word = string(corev1.PodPending) // the cluster hasn't looked at it yet
	case word == string(corev1.PodSucceeded) || word == string(corev1.PodUnknown):
		return word, message
	}
	phase, worst := word, weight(word)
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, c := range list {
			w, m := containerWord(c)
			if w != "" && (weight(w) > worst || weight(w) == worst && word == phase) {
				word, message, worst = w, fmt.Sprintf("%s: %s", c.Name, m), weight(w)
			}
		}
	}
	return word, message
}

// containerWord is what a container says, "" if it says nothing that its pod doesn't.
func containerWord(c corev1.ContainerStatus) (word, message string) {
	switch {
	case c.State.Waiting != nil:
		switch reason := c.State.Waiting.Reason; reason {
		case "", "PodInitializing":
			return "", ""
		default:
			return reason, reason + ": " + c.State.Waiting.Message
		}
	case c.State.Terminated != nil && c.State.Terminated.Reason == wordOOMKilled:
		return wordOOMKilled, fmt.Sprintf("killed for want of memory, %d restarts", c.RestartCount)
	case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
		return wordFailed, fmt.Sprintf("%s, exit code %d, %d restarts", c.State.Terminated.Reason, c.State.Terminated.ExitCode, c.RestartCount)
	}
	return "", ""
}

// weight says how bad a word is; what the table doesn't know is counted there.
func weight(word string) int {
	switch s, _ := status.Kubernetes.Map(word); s {
	case status.Failed:
		return 3
	case status.Unknown:
		return 2
	case status.Pending:
		return 1
	}
	return 0
}
