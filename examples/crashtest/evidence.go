package main

// evidence is all that is there after the last life.
type evidence struct {
	Damage    []string // what the database says is wrong with itself
	Head      uint64   // the number that the journal is at
	Journal   []entry  // in order
	VMs       []row
	Intervals []interval
	Tally     []counted // in order of place
	Total     uint64    // that the tally has kept
	Moody     []counted // the same of the tally that is in a mood
	MoodTotal uint64
	Lives     []life    // in order
	Messages  []message // in order
	Backups   []backup
	Alone     bool // there was one server at a time
}

// backup is what lies in a copy of the database that the server has made.
type backup struct {
	Name string
	*evidence
}

// life is what one child left behind.
type life struct {
	Number   int
	Acks     []ack
	Notes    []note
	Moody    []note // of the subscriber that is in a mood
	Replayed int    // parked events that were handled
}

// entry is a row of the journal.
type entry struct {
	Seq      uint64
	Event    string
	Type     string
	Resource string // kind/id
	Version  uint64
	Change   *change  // of an event of a VM
	Metered  *metered // of an event of the ledger
}

// row is a VM as it lies in the database.
type row struct {
	ID, State, Origin string
	Version           uint64
}

func (r row) resource() string { return "vm/" + r.ID }

// change is what the data of a VM's event says, as far as it matters.
type change struct {
	Action   string `json:"action"`
	Tenant   string `json:"tenant"`
	From     string `json:"from"`
	To       string `json:"to"`
	Origin   string `json:"origin"`
	Version  uint64 `json:"version"`
	Time     stamp  `json:"time"`
	Resource struct {
		ID        string `json:"id"`
		State     string `json:"state"`
		Version   uint64 `json:"version"`
		CPUs      int64  `json:"cpus"`
		MemoryMiB int64  `json:"memory_mib"`
	} `json:"resource"`
}

// metered is what the data of a ledger's event says, as far as it matters.
type metered struct {
	What      string `json:"what"`
	Meter     string `json:"meter"`
	OpenedSeq uint64 `json:"opened_seq"`
	StartedAt stamp  `json:"started_at"`
	EndedAt   stamp  `json:"ended_at"`
}

// byResource returns the events of each VM, in order.
func (e *evidence) byResource() map[string][]*entry {
	all := map[string][]*entry{}
	for i := range e.Journal {
		if r := &e.Journal[i]; r.Change != nil {
			all[r.Resource] = append(all[r.Resource], r)
		}
	}
	return all
}
