// Package postgrestest gives each test a schema of its own on a PostgreSQL server, for tests of what is stored there.
package postgrestest
