package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"gorm.io/gorm"
)

// The tables of all kinds have indexes (field, id) that a page of a relation comes from in order, whatever the database's collation.
func TestRelationsAreListedByTheirIndex(t *testing.T) {
	store := open(t, postgrestest.Schema(t), postgres.Options{})
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	engine, err := resources.New(resources.Options{Store: store, Bus: b})
	if err == nil {
		err = all.Register(engine)
	}
	if err != nil {
		t.Fatal(err)
	}
	for index, field := range map[string]string{
		"vms_host": "host_id", "vms_template": "template_id", "volumes_vm": "vm_id", "volumes_template": "template_id", "volumes_snapshot": "snapshot_id",
		"nics_vm": "vm_id", "nics_network": "network_id", "public_ips_network": "network_id", "public_ips_vm": "vm_id", "public_ips_nic": "nic_id",
		"snapshots_volume": "volume_id", "snapshots_parent": "parent_id", "templates_volume": "volume_id", "templates_snapshot": "snapshot_id",
		"containers_cluster": "cluster_id", "containers_vm": "vm_id", "clusters_network": "network_id", "clusters_template": "template_id",
	} {
		table := index[:strings.LastIndex(index, "_")]
		var steps []string
		err := store.Writer().DB().Transaction(func(tx *gorm.DB) error { // among a handful of rows a scan would be cheaper
			if err := tx.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
				return err
			}
			return tx.Raw("EXPLAIN SELECT * FROM " + table + " WHERE id > '7' AND " + field + " = '42' ORDER BY id LIMIT 100").Scan(&steps).Error
		})
		plan := strings.Join(steps, "\n")
		if err != nil || !strings.Contains(plan, "Index Scan using "+index) || strings.Contains(plan, "Sort") {
			t.Errorf("%s by %s: %v, planned as\n%s", table, field, err, plan)
		}
	}
}
