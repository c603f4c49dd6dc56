package status

import "fmt"

// Reason says why a message was rejected, in a word that counters and lists can use.
type Reason string

// Reasons. A message that was rejected for one of them would be again, however often it comes, until a provider or a server is changed.
const (
	TooLarge      Reason = "too_large"       // over 64 KiB
	NotJSON       Reason = "not_json"        // the body isn't one JSON object
	Batch         Reason = "batch"           // several events in one message
	BadVersion    Reason = "specversion"     // the CloudEvents version is missing, or isn't 1.0
	NoID          Reason = "missing_id"      //
	NoSource      Reason = "missing_source"  //
	NoType        Reason = "missing_type"    //
	BadAttribute  Reason = "bad_attribute"   // another fault of the CloudEvent: a time that is none, an attribute given twice
	WrongSubject  Reason = "wrong_subject"   // the event's type isn't that of the subject it came on
	UnknownType   Reason = "unknown_type"    // a service type that nobody registered
	NotAnObject   Reason = "data_not_object" // the data is missing, or no JSON object
	NoResourceID  Reason = "no_data_id"      // the data doesn't say of which resource
	BadData       Reason = "bad_data"        // a field of the data has another type than it must
	BadStatus     Reason = "unknown_status"  // a status that the service type doesn't have
	WrongProvider Reason = "wrong_provider"  // the resource belongs to another provider
)

// RejectError: a message that isn't an observation, or not one that can be taken.
type RejectError struct {
	Reason Reason
	Detail string // for people: what was found, what is allowed
}

func (e *RejectError) Error() string {
	return fmt.Sprintf("status: rejected (%s): %s", e.Reason, e.Detail)
}

func reject(reason Reason, format string, args ...any) error {
	return &RejectError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
