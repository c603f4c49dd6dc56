package status_test

import (
	"context"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bridge/transporttest"
)

// A provider reports what it sees, as often as it likes: what says nothing new isn't sent.
func ExampleReporter() {
	ctx := context.Background()
	broker := transporttest.New() // in a provider: natsbridge.NewTransport
	reporter, err := status.NewReporter(broker, status.ReporterOptions{Provider: "vcenter-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		running, _ := status.VMware.Map("poweredOn")
		if err := reporter.Report(ctx, status.Observation{ServiceType: "vm", ID: "42", Status: running, Raw: "poweredOn"}); err != nil {
			fmt.Println(err)
		}
	}
	if err := reporter.Close(ctx); err != nil {
		fmt.Println(err)
	}
	for _, letter := range broker.Letters() {
		r, err := status.Decode(letter.Letter)
		fmt.Println(letter.Subject, r.Provider, r.ResourceID, r.Status, r.Raw, err)
	}
	// Output: dcm.vm vcenter-1 42 RUNNING poweredOn <nil>
}

func ExampleTable_Map() {
	for _, word := range []string{"stopping", "terminated"} {
		s, listed := status.EC2.Map(word)
		fmt.Println(word, s, listed)
	}
	s, listed := status.Docker.Map("exited (137)")
	fmt.Println("exited (137)", s, listed)
	// Output:
	// stopping STOPPING true
	// terminated DELETED true
	// exited (137) FAILED true
}
