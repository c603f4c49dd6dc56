// Package tenantchanges is a plugin with a table: it counts the changes of each tenant's resources, of all kinds, each change exactly once, and shows
// them at GET /v1/tenant-changes.
package tenantchanges
