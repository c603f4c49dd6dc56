// Package sinktest is the suite that every bridge.Sink must pass, and a broker in memory that passes it.
//
//	func TestSink(t *testing.T) {
//		sinktest.Run(t, func(t *testing.T) *sinktest.Broker {
//			server := startServer(t)
//			return &sinktest.Broker{
//				New:      func() (bridge.Sink, error) { return mysink.New(server.URL()) },
//				Received: func(ctx context.Context) ([]sinktest.Received, error) { return server.messages(ctx) },
//				Stop:     server.stop,
//				Start:    server.start,
//				Repeats:  sinktest.Dropped,
//				TooLarge: 1 << 20,
//			}
//		})
//	}
//
// # What is checked
//
// Messages in both modes come out as they went in, whatever characters their attributes have. The messages about a resource come out in the order in which they
// were acknowledged, also when many are sent at once and the broker goes away and comes back meanwhile; none that was acknowledged is lost. A message that is sent
// again is kept once, or told by its id. A broker that is away is an error at once, and Ready waits for it; opening and closing don't. What is too large is a
// *bridge.RejectedError, and costs nobody else anything. A Send ends with its context. A sink that is closed, or wasn't opened, sends nothing and says so.
//
// [Memory] is for the tests of what stands in front of a sink.
package sinktest
