package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
)

// Options of a provider. URL and Reporter are required.
type Options struct {
	URL      *url.URL         // Of the vCenter's SDK, with user and password: https://user:password@vcenter/sdk
	Insecure bool             // Whether the vCenter's certificate is taken unseen. Defaults to no.
	CA       string           // File of the certificates, PEM, that the vCenter's is checked by. Defaults to the system's.
	Reporter *status.Reporter // Where statuses go

	IdentifyBy IdentifyBy    // What of a VM is the id under which servers know it. Defaults to ByInstanceUUID.
	IDKey      string        // Key of the configuration or name of the custom attribute that has the id. Defaults to cloudbus.id.
	Confirm    time.Duration // After how long a VM that was missing when the provider connected is looked for again before it is reported as DELETED. Defaults to 30 s.
	Retry      time.Duration // The longest pause between attempts to connect. Defaults to 30 s.
	Logger     *slog.Logger  // Defaults to slog.Default().
}

func (o Options) withDefaults() (Options, error) {
	o.IdentifyBy = cmp.Or(o.IdentifyBy, ByInstanceUUID)
	o.IDKey = cmp.Or(o.IDKey, DefaultIDKey)
	o.Confirm = cmp.Or(o.Confirm, 30*time.Second)
	o.Retry = cmp.Or(o.Retry, 30*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	switch {
	case o.URL == nil || o.URL.User == nil:
		return o, errors.New("provider-vsphere: the vCenter's URL is required, with a user")
	case o.Reporter == nil:
		return o, errors.New("provider-vsphere: a reporter is required")
	case o.Confirm < 0 || o.Retry < 0:
		return o, errors.New("provider-vsphere: durations must not be negative")
	}
	switch o.IdentifyBy {
	case ByInstanceUUID, ByExtraConfig, ByAttribute:
		return o, nil
	}
	return o, fmt.Errorf("provider-vsphere: VMs are identified by %s, %s or %s, not by %q", ByInstanceUUID, ByExtraConfig, ByAttribute, o.IdentifyBy)
}
