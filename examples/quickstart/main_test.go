package main

func Example() {
	main()
	// Output:
	// 1 database.created database/orders postgres
	// 2 database.state.starting database/orders postgres
	// 3 database.state.running database/orders postgres
	// fsm: database/orders cannot "delete_requested" in "running" (allowed: stop_requested)
}
