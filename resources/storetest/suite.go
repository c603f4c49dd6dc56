package storetest

import (
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Open makes an empty store for one test. It closes it in t.Cleanup.
type Open func(t *testing.T) resources.Store

// Run runs the suite. Each of its tests opens a store of its own.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"each column comes back as it went in", testRoundTrip},
		{"an id is taken once", testExists},
		{"what isn't there is not found", testNotFound},
		{"objects are the caller's", testCopies},
		{"versions guard rows", testVersionGuard},
		{"a member sees its own writes, others don't", testMemberView},
		{"a transaction that is over refuses", testTxOver},
		{"states are counted", testCountStates},
		{"states the machine doesn't know are refused at Register", testUnknownStates},

		{"pages hold each resource once, in order of id", testPages},
		{"filters", testFilters},

		{"a member reads what it has written, and what is committed", testMemberReads},
		{"a member reads no more than it asks for", testMemberPages},
		{"relations are checked where they change", testRelations},
		{"a target doesn't vanish under a new relation", testRelationRace},

		{"row and event are written together", testRowAndEvent},
		{"row and event are left out together", testNeither},
		{"a failing member leaves its neighbours alone", testNeighbours},

		{"stays are found by how long they last", testStays},
		{"a stay is reported once for each time", testReports},
		{"what is stuck is told once, across restarts", testStuck},
		{"deleted rows are gone", testDelete},
		{"a purge leaves events behind", testPurge},
		{"batches are made whole, or not at all", testBatch},
		{"a batch of moves", testVolley},
		{"batches of moves among others", testVolleyRace},

		{"an action is recorded from its beginning to its end", testAction},
		{"open actions are found by what they are", testActionList},
		{"open actions are rows of the transaction", testActionRows},
		{"an action has one beginning and one end", testActionRace},
		{"an action's end is recorded whatever its context says", testActionContexts},

		{"two callers, one move", testTwoCallers},
		{"numbers have no holes", testGapless},
		{"a storm of callers", testStorm},
		{"cancelled callers among others", testCancelled},
		{"who is in the writer doesn't wait for it", testInWriter},
		{"vm: a life", testVM},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}
