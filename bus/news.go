package bus

// news is one event on its way; all queues that have it share it. It lies on a sheet with others, and what is counted is who holds the sheet.
type news[T any] struct {
	event  Event[T]
	err    error     // it couldn't be decoded
	ticket uint64    // of the reader that waits for it to be done; 0: none
	at     int64     // when it was offered, Unix ns
	sheet  *sheet[T] // for ever the same
	place  uint8     // on it
}

// sign notes what the event is, before anybody gets it.
func (n *news[T]) sign(now int64) {
	n.at = now
	n.sheet.edition.Load().sign(int(n.place), &n.event.Header)
}

// published ends the publisher's part: from now on only the queues that took it hold it.
func (n *news[T]) published(held int64) {
	n.sheet.settle(held - publishing)
}

// release ends the hold of a queue.
func (n *news[T]) release() { n.sheet.settle(-1) }

// posting is an event while its publisher offers it.
type posting[T any] struct {
	news    *news[T]
	held    int64 // by how many queues
	refused bool  // by a subscription that was closed meanwhile
	full    []*inbox[T]
	boxed   []boxTaker // that are full
	parcel  *parcel
}

// note counts the hold of a queue that has taken it, and keeps in mind who is full.
func (p *posting[T]) note(in *inbox[T], o outcome) {
	switch o {
	case full:
		p.full = append(p.full, in)
	case refused:
		p.refused = true
	default:
		p.held += o.holds()
	}
}

func (p *posting[T]) noteBoxed(in boxTaker, o outcome) {
	switch o {
	case full:
		p.boxed = append(p.boxed, in)
	case refused:
		p.refused = true
	}
}

// waits reports whether somebody who was full is still to be offered the event.
func (p *posting[T]) waits() bool { return len(p.full)+len(p.boxed) > 0 }

// boxedParcel boxes the payload, once per event.
func (p *posting[T]) boxedParcel() *parcel {
	if p.parcel == nil {
		p.parcel = parcels.Get().(*parcel)
		p.parcel.header = &p.news.event.Header
		p.parcel.payload = p.news.event.Payload
	}
	return p.parcel
}

func (p *posting[T]) end() {
	if p.parcel != nil {
		*p.parcel = parcel{}
		parcels.Put(p.parcel)
	}
	p.news.published(p.held)
}
