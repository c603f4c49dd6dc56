package status_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
)

// plainEvent is what a provider of others sends; changes replace members, "" leaves one out.
func plainEvent(changes map[string]string) []byte {
	members := map[string]string{
		"specversion": `"1.0"`, "id": `"6b0f"`, "source": `"dcm/providers/kube"`, "type": `"dcm.status.vm"`, "time": `"2026-01-02T03:04:05Z"`,
		"datacontenttype": `"application/json"`, "data": `{"id":"42","status":"RUNNING","message":"m"}`,
	}
	maps.Copy(members, changes)
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		quoted, _ := json.Marshal(name)
		b.Write(quoted)
		b.WriteByte(':')
		b.WriteString(members[name])
	}
	return []byte("{" + b.String() + "}")
}

func TestDecodeReadsRealProviders(t *testing.T) {
	binary := map[string][]string{
		"CE-SpecVersion": {"1.0"}, "ce-id": {"6b0f"}, "Ce-Source": {"dcm/providers/kube"}, "cE-type": {"dcm.status.vm"},
		"ce-time": {"2026-01-02T03:04:05Z"}, "ce-rawstatus": {"l%C3%A4uft%20100%25"}, "ce-datacontenttype": {"application/json"}, "content-type": {"application/json"},
	}
	for name, c := range map[string]struct {
		letter                bridge.Letter
		provider, status, raw string
	}{
		"no header":           {bridge.Letter{Data: plainEvent(nil)}, "kube", "RUNNING", "RUNNING"},
		"structured":          {bridge.Letter{Data: plainEvent(nil), Header: map[string][]string{"content-type": {"Application/CloudEvents+JSON"}}}, "kube", "RUNNING", "RUNNING"},
		"said to be JSON":     {bridge.Letter{Data: plainEvent(nil), Header: map[string][]string{"Content-Type": {"application/json"}}}, "kube", "RUNNING", "RUNNING"},
		"binary":              {bridge.Letter{Header: binary, Data: []byte(`{"id":"42","status":"RUNNING"}`)}, "kube", "RUNNING", "läuft 100%"},
		"source of KubeVirt":  {bridge.Letter{Data: plainEvent(map[string]string{"source": `"kubevirt.localhost"`})}, "kubevirt.localhost", "RUNNING", "RUNNING"},
		"source without name": {bridge.Letter{Data: plainEvent(map[string]string{"source": `"dcm/providers/"`})}, "dcm/providers/", "RUNNING", "RUNNING"},
		"phase of KubeVirt":   {bridge.Letter{Data: plainEvent(map[string]string{"data": `{"id":"42","status":"Scheduling"}`})}, "kube", "PROVISIONING", "Scheduling"},
		"ended in KubeVirt":   {bridge.Letter{Data: plainEvent(map[string]string{"data": `{"id":"42","status":"Succeeded"}`})}, "kube", "STOPPED", "Succeeded"},
		"alias":               {bridge.Letter{Data: plainEvent(map[string]string{"data": `{"id":"42","status":"FAILED","timestamp":"x"}`})}, "kube", "ERROR", "FAILED"},
		"specversion last":    {bridge.Letter{Data: []byte(` {"data": {"id":"42","status":"RUNNING"} , "id":"6b0f","source":"dcm/providers/kube","type":"dcm.status.vm","time":"2026-01-02T04:04:05+01:00","specversion":"1.0"} `)}, "kube", "RUNNING", "RUNNING"},
		"escaped name":        {bridge.Letter{Data: bytes.Replace(plainEvent(nil), []byte(`"data":{"id"`), []byte(`"d\u0061ta":{"\u0069d"`), 1)}, "kube", "RUNNING", "RUNNING"},
		"base64":              {bridge.Letter{Data: plainEvent(map[string]string{"data": "", "data_base64": `"eyJpZCI6IjQyIiwic3RhdHVzIjoiUlVOTklORyJ9"`})}, "kube", "RUNNING", "RUNNING"},
		"extensions":          {bridge.Letter{Data: plainEvent(map[string]string{"retries": "3", "late": "true", "sequence": `"+7"`, "subject": "null"})}, "kube", "RUNNING", "RUNNING"},
	} {
		t.Run(name, func(t *testing.T) {
			c.letter.Subject = "dcm.vm"
			r, err := status.Decode(c.letter)
			if err != nil {
				t.Fatal(err)
			}
			if r.ID != "6b0f" || r.ResourceID != "42" || r.Provider != c.provider || string(r.Status) != c.status || r.Raw != c.raw || r.Sequence != 0 {
				t.Errorf("got %+v", r)
			}
			if want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC); !r.Time.Equal(want) || r.Time.Location() != time.UTC {
				t.Errorf("time is %v, want %v", r.Time, want)
			}
		})
	}
}

func TestDecodeRejects(t *testing.T) {
	set := func(name, value string) []byte { return plainEvent(map[string]string{name: value}) }
	for name, c := range map[string]struct {
		letter bridge.Letter
		reason status.Reason
	}{
		"nothing":              {bridge.Letter{}, status.NotJSON},
		"garbage":              {bridge.Letter{Data: []byte("\x00\xff")}, status.NotJSON},
		"a number":             {bridge.Letter{Data: []byte("1")}, status.NotJSON},
		"cut":                  {bridge.Letter{Data: plainEvent(nil)[:50]}, status.NotJSON},
		"something follows":    {bridge.Letter{Data: append(plainEvent(nil), "{}"...)}, status.NotJSON},
		"given twice":          {bridge.Letter{Data: bytes.Replace(plainEvent(nil), []byte(`{"data"`), []byte(`{"id":"1","data"`), 1)}, status.NotJSON},
		"list":                 {bridge.Letter{Data: []byte(" [" + string(plainEvent(nil)) + "]")}, status.Batch},
		"batch type":           {bridge.Letter{Data: plainEvent(nil), Header: map[string][]string{"content-type": {"application/cloudevents-batch+json"}}}, status.Batch},
		"no version":           {bridge.Letter{Data: set("specversion", "")}, status.BadVersion},
		"version 0.3":          {bridge.Letter{Data: set("specversion", `"0.3"`)}, status.BadVersion},
		"version is a number":  {bridge.Letter{Data: set("specversion", `1.0`)}, status.BadVersion},
		"binary 0.3":           {bridge.Letter{Data: []byte(`{}`), Header: map[string][]string{"ce-specversion": {"0.3"}}}, status.BadVersion},
		"binary without":       {bridge.Letter{Data: []byte(`{}`), Header: map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-type": {"t"}}}, status.NoSource},
		"no id":                {bridge.Letter{Data: set("id", "")}, status.NoID},
		"blank id":             {bridge.Letter{Data: set("id", `" "`)}, status.NoID},
		"id is null":           {bridge.Letter{Data: set("id", `null`)}, status.NoID},
		"id is a number":       {bridge.Letter{Data: set("id", `1`)}, status.BadAttribute},
		"no source":            {bridge.Letter{Data: set("source", "")}, status.NoSource},
		"empty source":         {bridge.Letter{Data: set("source", `""`)}, status.NoSource},
		"source is none":       {bridge.Letter{Data: set("source", `"%%"`)}, status.BadAttribute},
		"no type":              {bridge.Letter{Data: set("type", "")}, status.NoType},
		"time is none":         {bridge.Letter{Data: set("time", `"yesterday"`)}, status.BadAttribute},
		"time of the ancients": {bridge.Letter{Data: set("time", `"0100-01-01T00:00:00Z"`)}, status.BadAttribute},
		"attribute's name":     {bridge.Letter{Data: set("Raw_Status", `"a"`)}, status.BadAttribute},
		"attribute is a list":  {bridge.Letter{Data: set("rawstatus", `["a"]`)}, status.BadAttribute},
		"NUL in the id":        {bridge.Letter{Data: set("id", `"\u0000"`)}, status.BadAttribute},
		"binary, twice":        {bridge.Letter{Header: map[string][]string{"ce-id": {"1"}, "CE-ID": {"1"}}}, status.BadAttribute},
		"other subject":        {bridge.Letter{Data: plainEvent(nil), Subject: "dcm.container"}, status.WrongSubject},
		"other type":           {bridge.Letter{Data: set("type", `"vm.created"`)}, status.WrongSubject},
		"type of nobody":       {bridge.Letter{Data: set("type", `"dcm.status.gpu"`), Subject: "dcm.gpu"}, status.UnknownType},
		"no data":              {bridge.Letter{Data: set("data", "")}, status.NotAnObject},
		"data is null":         {bridge.Letter{Data: set("data", "null")}, status.NotAnObject},
		"data is a list":       {bridge.Letter{Data: set("data", "[]")}, status.NotAnObject},
		"data is text":         {bridge.Letter{Data: plainEvent(map[string]string{"datacontenttype": `"text/plain"`, "data": `"up"`})}, status.NotAnObject},
		"base64 is a number":   {bridge.Letter{Data: plainEvent(map[string]string{"data": "", "data_base64": "1"})}, status.NotAnObject},
		"base64 is none":       {bridge.Letter{Data: plainEvent(map[string]string{"data": "", "data_base64": `"?"`})}, status.BadAttribute},
		"both data":            {bridge.Letter{Data: set("data_base64", `"e30="`)}, status.BadAttribute},
		"no data id":           {bridge.Letter{Data: set("data", `{"status":"RUNNING"}`)}, status.NoResourceID},
		"empty data id":        {bridge.Letter{Data: set("data", `{"id":"","status":"RUNNING"}`)}, status.NoResourceID},
		"data id is a number":  {bridge.Letter{Data: set("data", `{"id":42,"status":"RUNNING"}`)}, status.BadData},
		"message is an object": {bridge.Letter{Data: set("data", `{"id":"42","status":"RUNNING","message":{}}`)}, status.BadData},
		"status is null":       {bridge.Letter{Data: set("data", `{"id":"42","status":null}`)}, status.BadData},
		"no status":            {bridge.Letter{Data: set("data", `{"id":"42"}`)}, status.BadStatus},
		"status of nobody":     {bridge.Letter{Data: set("data", `{"id":"42","status":"LAUNCHING"}`)}, status.BadStatus},
		"status of another":    {bridge.Letter{Data: set("data", `{"id":"42","status":"SUCCEEDED"}`)}, status.BadStatus},
		"64 KiB and one":       {bridge.Letter{Data: make([]byte, status.MaxSize+1)}, status.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := status.Decode(c.letter)
			var rejected *status.RejectError
			if !errors.As(err, &rejected) || rejected.Reason != c.reason || rejected.Detail == "" {
				t.Errorf("got %v, want %s", err, c.reason)
			}
		})
	}
}

func TestServiceTypesCanBeRegistered(t *testing.T) {
	d, err := status.NewDecoder(status.ServiceType{Name: "gpu", Kind: "accelerator", Statuses: []status.Status{"ON", "OFF"}, Aliases: map[string]status.Status{"up": "ON"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Decode(bridge.Letter{Subject: "dcm.gpu", Data: plainEvent(map[string]string{"type": `"dcm.status.gpu"`, "data": `{"id":"1","status":"up"}`})})
	if err != nil || r.Kind != "accelerator" || r.Status != "ON" {
		t.Errorf("got %+v, %v", r, err)
	}
	for name, wrong := range map[string]status.ServiceType{
		"no name":         {Kind: "k", Statuses: []status.Status{"ON"}},
		"dotted":          {Name: "a.b", Kind: "k", Statuses: []status.Status{"ON"}},
		"no kind":         {Name: "a", Statuses: []status.Status{"ON"}},
		"no statuses":     {Name: "a", Kind: "k"},
		"status in lower": {Name: "a", Kind: "k", Statuses: []status.Status{"on"}},
		"stray alias":     {Name: "a", Kind: "k", Statuses: []status.Status{"ON"}, Aliases: map[string]status.Status{"x": "OFF"}},
	} {
		if _, err := status.NewDecoder(wrong); err == nil {
			t.Errorf("%s: registered", name)
		}
	}
}

func TestBuiltInTypesCanBeRegisteredAgain(t *testing.T) {
	if _, err := status.NewDecoder(status.BuiltIn()...); err != nil {
		t.Fatal(err)
	}
}
