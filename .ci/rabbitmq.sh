# Sourced by run: a RabbitMQ for the tests, named in CLOUDBUS_TEST_AMQP. Takes one that lets us in, else makes its own in $work; only that one
# may be put into a memory alarm, with the command in CLOUDBUS_TEST_AMQP_CTL. Nothing of it listens beyond the loopback interface.

rabbitmq_port= # of our own, once it has been started
rabbitmq_user=

# with_rabbitmq runs a command as the user and in the environment of our own node. Its tools are Erlang nodes, too, and listen.
with_rabbitmq() {
	local dir=$work/rabbitmq as=()
	[ "$(id -u)" != 0 ] || as=(runuser -u "$rabbitmq_user" --)
	(cd "$dir" && "${as[@]}" env HOME="$dir" LANG=C.UTF-8 \
		ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((rabbitmq_port + 1)) \
		RABBITMQ_NODENAME=cloudbus_ci@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
		RABBITMQ_NODE_PORT="$rabbitmq_port" RABBITMQ_DIST_PORT=$((rabbitmq_port + 2)) \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none' \
		RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
		RABBITMQ_CONF_ENV_FILE="$dir/none" RABBITMQ_CONFIG_FILES="$dir/none" RABBITMQ_CONFIG_FILE="$dir/none" \
		RABBITMQ_ENABLED_PLUGINS_FILE="$dir/plugins" RABBITMQ_MNESIA_BASE="$dir/mnesia" RABBITMQ_LOG_BASE="$dir/log" RABBITMQ_PID_FILE="$dir/pid" \
		"$@")
}

install_rabbitmq() {
	step "installing RabbitMQ"
	# Without the node that Debian would start, which listens to all the world.
	local policy=/usr/sbin/policy-rc.d ours=
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		ours=1
	fi
	local failed=
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends rabbitmq-server || failed=1
	[ -z "$ours" ] || rm "$policy"
	[ -z "$failed" ]
}

# three_free_ports says the first of three in a row that nobody listens on: for the node, the port mapper, and between nodes.
three_free_ports() {
	local port n
	while true; do
		port=$((20000 + RANDOM % 20000))
		for n in 0 1 2; do
			! (exec 3<>"/dev/tcp/127.0.0.1/$((port + n))") 2>/dev/null || continue 2
		done
		echo "$port"
		return
	done
}

# start_rabbitmq doesn't wait for its own to be there: await_rabbitmq does.
start_rabbitmq() {
	local url dir=$work/rabbitmq
	for url in "${CLOUDBUS_TEST_AMQP:-}" 'amqp://guest:guest@127.0.0.1:5672/'; do
		if [ -z "${CLOUDBUS_CI_OWN_RABBITMQ:-}" ] && [ -n "$url" ] && go run ./.ci/logsin.go "$url" 2>/dev/null; then
			export CLOUDBUS_TEST_AMQP=$url
			echo "RabbitMQ: the broker that answers at ${url##*@}"
			return
		fi
	done
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || install_rabbitmq
	step "starting a RabbitMQ"
	rabbitmq_user=rabbitmq
	mkdir "$dir"
	echo '[].' >"$dir/plugins"
	if [ "$(id -u)" = 0 ]; then
		chmod 711 "$work"
		chown -R "$rabbitmq_user" "$dir"
	fi
	rabbitmq_port=$(three_free_ports)
	with_rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server >"$dir.log" 2>&1 &
	export CLOUDBUS_TEST_AMQP="amqp://guest:guest@127.0.0.1:$rabbitmq_port/"
	declare -f with_rabbitmq >"$work/rabbitmqctl"
	printf 'work=%q rabbitmq_port=%q rabbitmq_user=%q\nwith_rabbitmq /usr/lib/rabbitmq/bin/rabbitmqctl "$@"\n' \
		"$work" "$rabbitmq_port" "$rabbitmq_user" >>"$work/rabbitmqctl"
	export CLOUDBUS_TEST_AMQP_CTL="bash $work/rabbitmqctl"
}

# await_rabbitmq waits until our own takes logins, if we have started one.
await_rabbitmq() {
	[ -n "$rabbitmq_port" ] || return 0
	local try
	go build -o "$work/logsin" ./.ci/logsin.go
	for try in $(seq 120); do
		if "$work/logsin" "$CLOUDBUS_TEST_AMQP" 2>/dev/null; then
			echo "RabbitMQ: a broker of its own on port $rabbitmq_port"
			return
		fi
		sleep 0.5
	done
	cat "$work/rabbitmq.log"
	return 1
}

# stop_rabbitmq stops the node that start_rabbitmq has started, if it has, and the port mapper that came with it.
stop_rabbitmq() {
	[ -n "$rabbitmq_port" ] || return 0
	local pid try
	pid=$(cat "$work/rabbitmq/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	for try in $(seq 50); do
		kill -0 "$pid" 2>/dev/null || break
		[ "$try" != 40 ] || kill -9 "$pid" 2>/dev/null || true
		sleep 0.2
	done
	with_rabbitmq epmd -kill >/dev/null 2>&1 || true
}
