# Sourced by run: a PostgreSQL server for the tests, named in CLOUDBUS_TEST_POSTGRES. Takes the one that is named there, else makes its own in $work.

postgres_bin= # where initdb and pg_ctl are, once a server of ours runs
postgres_user=

# as_postgres runs a command as a user whom initdb accepts: not root.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then runuser -u "$postgres_user" -- "$@"; else "$@"; fi
}

find_initdb() {
	local found
	found=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1) || true
	[ -n "$found" ] && dirname "$(readlink -f "$found")"
}

install_postgres() {
	step "installing PostgreSQL"
	# Without the cluster that Debian would make and start.
	mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql
}

# take_postgres takes a server if it answers.
take_postgres() {
	if [ -n "$1" ] && go run ./.ci/answers.go "$1" 2>/dev/null; then
		export CLOUDBUS_TEST_POSTGRES=$1
		echo "PostgreSQL: the server that answers at ${1%%\?*}" | sed 's#:[^:/@]*@#@#'
		return
	fi
	return 1
}

# One that is named goes first; then one of our own, which needn't reach the disk and is twice as fast for it; then one that is there anyway.
start_postgres() {
	local dir port try
	if [ -z "${CLOUDBUS_CI_OWN_POSTGRES:-}" ] && take_postgres "${CLOUDBUS_TEST_POSTGRES:-}"; then return; fi
	if ! find_initdb >/dev/null; then
		if [ -z "${CLOUDBUS_CI_OWN_POSTGRES:-}" ] && take_postgres 'postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable'; then return; fi
		install_postgres
	fi
	step "starting a PostgreSQL server"
	postgres_bin=$(find_initdb)
	postgres_user=nobody
	if id postgres >/dev/null 2>&1; then postgres_user=postgres; fi
	dir=$work/postgres
	mkdir "$dir"
	if [ "$(id -u)" = 0 ]; then
		chmod 711 "$work"
		chown "$postgres_user" "$dir"
	fi
	(cd "$dir" && as_postgres "$postgres_bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir.log" 2>&1) ||
		{ cat "$dir.log"; return 1; }
	for try in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 20000))
		# It is thrown away at the end: it needn't reach the disk.
		if (cd "$dir" && as_postgres "$postgres_bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start -o \
			"-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c max_connections=200 -c fsync=off" >>"$dir.log" 2>&1); then
			export CLOUDBUS_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
			go run ./.ci/answers.go "$CLOUDBUS_TEST_POSTGRES"
			echo "PostgreSQL: $("$postgres_bin/postgres" --version), a server of its own on port $port"
			return
		fi
	done
	cat "$dir.log" "$dir/log"
	return 1
}

# stop_postgres stops the server that start_postgres has started, if it has.
stop_postgres() {
	[ -n "$postgres_bin" ] && [ -d "$work/postgres/data" ] || return 0
	(cd "$work/postgres" && as_postgres "$postgres_bin/pg_ctl" -D "$work/postgres/data" -m immediate -w stop >/dev/null 2>&1) || true
}
