package main

import (
	"context"
	"errors"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/resources"
)

// observed is what a provider observes of a resource, beside the resource's own state.
type observed struct {
	Status       status.Status `json:"status"`
	Raw          string        `json:"raw,omitempty"` // the platform's own word
	Message      string        `json:"message,omitempty"`
	Provider     string        `json:"provider"`
	Time         time.Time     `json:"time"`
	Since        time.Time     `json:"since"`                  // when it was first observed so
	DiffersSince time.Time     `json:"differs_since,omitzero"` // since when it and the own state disagree
}

// observedOf returns nil if nobody reports the resource.
func (a *api) observedOf(ctx context.Context, kind, id string) (*observed, error) {
	if a.reports == nil {
		return nil, nil
	}
	seen, err := a.reports.Observed(ctx, kind, id)
	if errors.Is(err, resources.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &observed{seen.Status, seen.Raw, seen.Message, seen.Provider, seen.Time, seen.ChangedAt, seen.DiffersSince}, nil
}
