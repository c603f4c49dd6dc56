package status_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudevents/sdk-go/v2/event"
)

var (
	sampleTime  = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)
	sampleStamp = status.Stamp{Provider: "vcenter-1", ID: bus.NewID(sampleTime), Sequence: uint64(sampleTime.UnixNano())}
	sample      = status.Observation{ServiceType: "vm", ID: "42", Status: status.Running, Raw: "poweredOn", Message: "up", Time: sampleTime}
)

func TestEncodeWritesTheContract(t *testing.T) {
	l, err := status.Encode(sampleStamp, sample)
	if err != nil {
		t.Fatal(err)
	}
	id := sampleStamp.ID.String()
	var got map[string]any
	if err := json.Unmarshal(l.Data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"specversion": "1.0", "id": id, "source": "dcm/providers/vcenter-1", "type": "dcm.status.vm", "subject": "dcm.vm",
		"time": "2026-03-04T05:06:07.000000089Z", "sequence": "01772600767000000089", "rawstatus": "poweredOn",
		"datacontenttype": "application/json", "data": map[string]any{"id": "42", "status": "RUNNING", "message": "up"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	header := map[string][]string{"Content-Type": {"application/cloudevents+json; charset=utf-8"}, "Nats-Msg-Id": {id}}
	if l.ID != id || l.Subject != "dcm.vm" || !reflect.DeepEqual(l.Header, header) {
		t.Errorf("letter %q on %q with %v", l.ID, l.Subject, l.Header)
	}
	again, err := status.Encode(sampleStamp, sample)
	if err != nil || !bytes.Equal(again.Data, l.Data) {
		t.Errorf("encoded again it is %s, %v", again.Data, err)
	}
	e := event.Event{}
	if err := json.Unmarshal(l.Data, &e); err != nil || e.Validate() != nil {
		t.Errorf("the SDK says %v, %v", err, e.Validate())
	}
}

func TestDecodeReadsWhatEncodeWrites(t *testing.T) {
	l, err := status.Encode(sampleStamp, sample)
	if err != nil {
		t.Fatal(err)
	}
	r, err := status.Decode(l)
	if err != nil {
		t.Fatal(err)
	}
	want := status.Report{
		ID: sampleStamp.ID.String(), Source: "dcm/providers/vcenter-1", Provider: "vcenter-1", Sequence: sampleStamp.Sequence, Time: sampleTime,
		ServiceType: "vm", Kind: "vm", ResourceID: "42", Status: status.Running, Raw: "poweredOn", Message: "up", Data: r.Data,
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*status.Stamp, *status.Observation)
		field  string
	}{
		"no service type":   {func(_ *status.Stamp, o *status.Observation) { o.ServiceType = "" }, "ServiceType"},
		"two tokens":        {func(_ *status.Stamp, o *status.Observation) { o.ServiceType = "a.b" }, "ServiceType"},
		"no id":             {func(_ *status.Stamp, o *status.Observation) { o.ID = " " }, "ID"},
		"id with a NUL":     {func(_ *status.Stamp, o *status.Observation) { o.ID = "a\x00" }, "ID"},
		"long id":           {func(_ *status.Stamp, o *status.Observation) { o.ID = strings.Repeat("x", 257) }, "ID"},
		"another's status":  {func(_ *status.Stamp, o *status.Observation) { o.Status = status.Degraded }, "Status"},
		"no status":         {func(_ *status.Stamp, o *status.Observation) { o.ServiceType, o.Status = "gpu", "" }, "Status"},
		"lower-case status": {func(_ *status.Stamp, o *status.Observation) { o.ServiceType, o.Status = "gpu", "on" }, "Status"},
		"ancient":           {func(_ *status.Stamp, o *status.Observation) { o.Time = time.Unix(-1, 0) }, "Time"},
		"far away":          {func(_ *status.Stamp, o *status.Observation) { o.Time = time.Date(2262, 5, 1, 0, 0, 0, 0, time.UTC) }, "Time"},
		"no time":           {func(_ *status.Stamp, o *status.Observation) { o.Time = time.Time{} }, "Time"},
		"no provider":       {func(s *status.Stamp, _ *status.Observation) { s.Provider = "" }, "Provider"},
		"provider's slash":  {func(s *status.Stamp, _ *status.Observation) { s.Provider = "a/b" }, "Provider"},
		"no event id":       {func(s *status.Stamp, _ *status.Observation) { s.ID = bus.ID{} }, "Stamp.ID"},
		"no sequence":       {func(s *status.Stamp, _ *status.Observation) { s.Sequence = 0 }, "Stamp.Sequence"},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := sampleStamp, sample
			c.change(&s, &o)
			_, err := status.Encode(s, o)
			var wrong *status.ObservationError
			if !errors.As(err, &wrong) || wrong.Field != c.field {
				t.Errorf("got %v, want one about %s", err, c.field)
			}
		})
	}
}

func TestEncodeMakesTextsOfPlatformsFit(t *testing.T) {
	o := sample
	o.Raw, o.Message = "on\noff", "a\x00b\xff\n"+strings.Repeat("ä", 4000)
	l, err := status.Encode(sampleStamp, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := status.Decode(l)
	if err != nil {
		t.Fatal(err)
	}
	if r.Raw != "on off" || !strings.HasPrefix(r.Message, "a b\uFFFD ä") || len(r.Message) > 4096 || strings.HasSuffix(r.Message, "\uFFFD") {
		t.Errorf("raw %q, message %.20q… of %d bytes", r.Raw, r.Message, len(r.Message))
	}
}

func TestAliasesAreSentAsTheStatusTheyStandFor(t *testing.T) {
	o := sample
	o.Status = status.Failed
	l, err := status.Encode(sampleStamp, o)
	if err != nil || !bytes.Contains(l.Data, []byte(`"status":"ERROR"`)) {
		t.Errorf("got %s, %v", l.Data, err)
	}
}
