package gormstore

import "github.com/cloudbus-go/cloudbus/resources"

// StayTexts returns the statements by which resources are found that are in a state for long, with how many arguments they take.
func (s *Store) StayTexts(k *resources.Info) (map[string]int, error) {
	t, err := s.table(k)
	if err != nil {
		return nil, err
	}
	return map[string]int{t.stays.unreported: 4, t.stays.again: 4, t.stays.next: 5, t.stays.page: 3, t.stays.pageAfter: 6}, nil
}

// ListText returns the statement that lists a page, with its arguments.
func (s *Store) ListText(k *resources.Info, q resources.Query) (string, []any, error) {
	t, err := s.table(k)
	if err != nil {
		return "", nil, err
	}
	return t.listText(q)
}
