package snapshot_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  snapshot.Snapshot
		field string // that is refused; "" for none
	}{
		{"nothing known", snapshot.Snapshot{}, ""},
		{"all in order", snapshot.Snapshot{SizeGiB: 1, Type: snapshot.Scheduled, Format: "qcow2", ParentID: "41"}, ""},
		{"size below 0", snapshot.Snapshot{SizeGiB: -1}, "size_gib"},
		{"unknown type", snapshot.Snapshot{Type: "daily"}, "type"},
		{"unknown format", snapshot.Snapshot{Format: "iso"}, "format"},
		{"its own parent", snapshot.Snapshot{ParentID: "42"}, "parent_id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != snapshot.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
