PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE goose_journal (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_journal VALUES(1,0,1,'2026-11-22 01:39:42');
INSERT INTO goose_journal VALUES(2,1,1,'2026-11-22 01:39:42');
CREATE TABLE journal (
    seq            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL,
    type           TEXT    NOT NULL,
    schema         INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    resource_id    TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    tenant         TEXT    NOT NULL,
    actor          TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    time           INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    correlation_id TEXT    NOT NULL,
    causation_id   TEXT    NOT NULL,
    trace_parent   TEXT    NOT NULL,
    data           TEXT    NOT NULL
);
INSERT INTO journal VALUES(1,'01a200e8-bf83-7000-8000-0d6491ba46cd','vm.created',1,'vm','web1',1,'acme','user:ada','cloudbus/eu1',1795311583107927469,1795311583108280904,'01a200e8-bf83-7000-8000-096491ba46cd','','','{"id":"01a200e8-bf83-7000-8000-0d6491ba46cd","action":"created","kind":"vm","resource_id":"web1","tenant":"acme","to":"stopped","version":1,"time":"2026-11-22T01:39:43.107927469Z","actor":"user:ada","resource":{"id":"web1","tenant":"acme","name":"web1","state":"stopped","version":1,"state_since":"2026-11-22T01:39:43.107927469Z","created_at":"2026-11-22T01:39:43.107927469Z","updated_at":"2026-11-22T01:39:43.107927469Z","cpus":2,"memory_mib":2048,"ever_ran":false}}');
INSERT INTO journal VALUES(2,'01a200e8-bf87-7000-8000-116491ba46cd','usage.vm.allocated.opened',1,'vm','web1',0,'acme','user:ada','cloudbus/eu1',1795311583107927469,1795311583111141058,'01a200e8-bf83-7000-8000-096491ba46cd','01a200e8-bf83-7000-8000-0d6491ba46cd','','{"what":"opened","meter":"vm.allocated","tenant":"acme","kind":"vm","resource_id":"web1","size":{"cpus":2,"memory_mib":2048},"opened_seq":1,"started_at":"2026-11-22T01:39:43.107927469Z"}');
INSERT INTO journal VALUES(3,'01a200e8-bf8e-7000-8000-196491ba46cd','vm.created',1,'vm','web2',1,'acme','user:ada','cloudbus/eu1',1795311583118768625,1795311583118944263,'01a200e8-bf8e-7000-8000-156491ba46cd','','','{"id":"01a200e8-bf8e-7000-8000-196491ba46cd","action":"created","kind":"vm","resource_id":"web2","tenant":"acme","to":"stopped","version":1,"time":"2026-11-22T01:39:43.118768625Z","actor":"user:ada","resource":{"id":"web2","tenant":"acme","name":"web2","state":"stopped","version":1,"state_since":"2026-11-22T01:39:43.118768625Z","created_at":"2026-11-22T01:39:43.118768625Z","updated_at":"2026-11-22T01:39:43.118768625Z","cpus":4,"memory_mib":8192,"ever_ran":false}}');
INSERT INTO journal VALUES(4,'01a200e8-bf90-7000-8000-1d6491ba46cd','usage.vm.allocated.opened',1,'vm','web2',0,'acme','user:ada','cloudbus/eu1',1795311583118768625,1795311583120475857,'01a200e8-bf8e-7000-8000-156491ba46cd','01a200e8-bf8e-7000-8000-196491ba46cd','','{"what":"opened","meter":"vm.allocated","tenant":"acme","kind":"vm","resource_id":"web2","size":{"cpus":4,"memory_mib":8192},"opened_seq":3,"started_at":"2026-11-22T01:39:43.118768625Z"}');
INSERT INTO journal VALUES(5,'01a200e8-bf96-7000-8000-256491ba46cd','vm.created',1,'vm','db1',1,'globex','user:ada','cloudbus/eu1',1795311583126733074,1795311583127219804,'01a200e8-bf96-7000-8000-216491ba46cd','','','{"id":"01a200e8-bf96-7000-8000-256491ba46cd","action":"created","kind":"vm","resource_id":"db1","tenant":"globex","to":"stopped","version":1,"time":"2026-11-22T01:39:43.126733074Z","actor":"user:ada","resource":{"id":"db1","tenant":"globex","name":"db1","state":"stopped","version":1,"state_since":"2026-11-22T01:39:43.126733074Z","created_at":"2026-11-22T01:39:43.126733074Z","updated_at":"2026-11-22T01:39:43.126733074Z","cpus":8,"memory_mib":16384,"ever_ran":false}}');
INSERT INTO journal VALUES(6,'01a200e8-bf9b-7000-8000-296491ba46cd','usage.vm.allocated.opened',1,'vm','db1',0,'globex','user:ada','cloudbus/eu1',1795311583126733074,1795311583131088027,'01a200e8-bf96-7000-8000-216491ba46cd','01a200e8-bf96-7000-8000-256491ba46cd','','{"what":"opened","meter":"vm.allocated","tenant":"globex","kind":"vm","resource_id":"db1","size":{"cpus":8,"memory_mib":16384},"opened_seq":5,"started_at":"2026-11-22T01:39:43.126733074Z"}');
INSERT INTO journal VALUES(7,'01a200e8-bf9f-7000-8000-316491ba46cd','volume.created',1,'volume','root1',1,'acme','user:ada','cloudbus/eu1',1795311583135716103,1795311583136282951,'01a200e8-bf9f-7000-8000-2d6491ba46cd','','','{"id":"01a200e8-bf9f-7000-8000-316491ba46cd","action":"created","kind":"volume","resource_id":"root1","tenant":"acme","to":"allocated","version":1,"time":"2026-11-22T01:39:43.135716103Z","actor":"user:ada","resource":{"id":"root1","tenant":"acme","name":"root1","state":"allocated","version":1,"state_since":"2026-11-22T01:39:43.135716103Z","created_at":"2026-11-22T01:39:43.135716103Z","updated_at":"2026-11-22T01:39:43.135716103Z","size_gib":40,"device_id":0,"was_created":false,"was_uploaded":false}}');
INSERT INTO journal VALUES(8,'01a200e8-bfa8-7000-8000-396491ba46cd','network.created',1,'network','net1',1,'acme','user:ada','cloudbus/eu1',1795311583144362076,1795311583144573554,'01a200e8-bfa8-7000-8000-356491ba46cd','','','{"id":"01a200e8-bfa8-7000-8000-396491ba46cd","action":"created","kind":"network","resource_id":"net1","tenant":"acme","to":"allocated","version":1,"time":"2026-11-22T01:39:43.144362076Z","actor":"user:ada","resource":{"id":"net1","tenant":"acme","name":"net1","state":"allocated","version":1,"state_since":"2026-11-22T01:39:43.144362076Z","created_at":"2026-11-22T01:39:43.144362076Z","updated_at":"2026-11-22T01:39:43.144362076Z","cidr":"10.0.0.0/24","vlan":0}}');
INSERT INTO journal VALUES(9,'01a200e8-bfae-7000-8000-416491ba46cd','nic.created',1,'nic','nic1',1,'acme','user:ada','cloudbus/eu1',1795311583150856945,1795311583151100649,'01a200e8-bfae-7000-8000-3d6491ba46cd','','','{"id":"01a200e8-bfae-7000-8000-416491ba46cd","action":"created","kind":"nic","resource_id":"nic1","tenant":"acme","to":"allocated","version":1,"time":"2026-11-22T01:39:43.150856945Z","actor":"user:ada","resource":{"id":"nic1","tenant":"acme","name":"nic1","state":"allocated","version":1,"state_since":"2026-11-22T01:39:43.150856945Z","created_at":"2026-11-22T01:39:43.150856945Z","updated_at":"2026-11-22T01:39:43.150856945Z","vm_id":"web1","network_id":"net1","device_id":0,"is_default":false}}');
INSERT INTO journal VALUES(10,'01a200e8-bfb5-7000-8000-496491ba46cd','vm.state.starting',1,'vm','web1',2,'acme','user:ada','cloudbus/eu1',1795311583157477368,1795311583157751504,'01a200e8-bfb5-7000-8000-456491ba46cd','','','{"id":"01a200e8-bfb5-7000-8000-496491ba46cd","action":"moved","kind":"vm","resource_id":"web1","tenant":"acme","trigger":"start_requested","from":"stopped","to":"starting","origin":"stopped","operation":"01a200e8-bfb5-7000-8000-496491ba46cd","version":2,"time":"2026-11-22T01:39:43.157477368Z","since":"2026-11-22T01:39:43.107927469Z","actor":"user:ada","resource":{"id":"web1","tenant":"acme","name":"web1","state":"starting","origin":"stopped","operation":"01a200e8-bfb5-7000-8000-496491ba46cd","version":2,"state_since":"2026-11-22T01:39:43.157477368Z","created_at":"2026-11-22T01:39:43.107927469Z","updated_at":"2026-11-22T01:39:43.157477368Z","cpus":2,"memory_mib":2048,"ever_ran":false}}');
INSERT INTO journal VALUES(11,'01a200e8-bfbc-7000-8000-516491ba46cd','vm.state.starting',1,'vm','db1',2,'globex','user:ada','cloudbus/eu1',1795311583164160360,1795311583164332745,'01a200e8-bfbc-7000-8000-4d6491ba46cd','','','{"id":"01a200e8-bfbc-7000-8000-516491ba46cd","action":"moved","kind":"vm","resource_id":"db1","tenant":"globex","trigger":"start_requested","from":"stopped","to":"starting","origin":"stopped","operation":"01a200e8-bfbc-7000-8000-516491ba46cd","version":2,"time":"2026-11-22T01:39:43.16416036Z","since":"2026-11-22T01:39:43.126733074Z","actor":"user:ada","resource":{"id":"db1","tenant":"globex","name":"db1","state":"starting","origin":"stopped","operation":"01a200e8-bfbc-7000-8000-516491ba46cd","version":2,"state_since":"2026-11-22T01:39:43.16416036Z","created_at":"2026-11-22T01:39:43.126733074Z","updated_at":"2026-11-22T01:39:43.16416036Z","cpus":8,"memory_mib":16384,"ever_ran":false}}');
INSERT INTO journal VALUES(12,'01a200e8-bfc2-7000-8000-596491ba46cd','volume.state.creating',1,'volume','root1',2,'acme','user:ada','cloudbus/eu1',1795311583170114163,1795311583170409482,'01a200e8-bfc2-7000-8000-556491ba46cd','','','{"id":"01a200e8-bfc2-7000-8000-596491ba46cd","action":"moved","kind":"volume","resource_id":"root1","tenant":"acme","trigger":"create_requested","from":"allocated","to":"creating","origin":"allocated","operation":"01a200e8-bfc2-7000-8000-596491ba46cd","version":2,"time":"2026-11-22T01:39:43.170114163Z","since":"2026-11-22T01:39:43.135716103Z","actor":"user:ada","resource":{"id":"root1","tenant":"acme","name":"root1","state":"creating","origin":"allocated","operation":"01a200e8-bfc2-7000-8000-596491ba46cd","version":2,"state_since":"2026-11-22T01:39:43.170114163Z","created_at":"2026-11-22T01:39:43.135716103Z","updated_at":"2026-11-22T01:39:43.170114163Z","size_gib":40,"device_id":0,"was_created":false,"was_uploaded":false}}');
INSERT INTO journal VALUES(13,'01a200e8-bfc9-7000-8000-616491ba46cd','nic.state.reserving',1,'nic','nic1',2,'acme','user:ada','cloudbus/eu1',1795311583177508152,1795311583177786063,'01a200e8-bfc9-7000-8000-5d6491ba46cd','','','{"id":"01a200e8-bfc9-7000-8000-616491ba46cd","action":"moved","kind":"nic","resource_id":"nic1","tenant":"acme","trigger":"reservation_requested","from":"allocated","to":"reserving","origin":"allocated","operation":"01a200e8-bfc9-7000-8000-616491ba46cd","version":2,"time":"2026-11-22T01:39:43.177508152Z","since":"2026-11-22T01:39:43.150856945Z","actor":"user:ada","resource":{"id":"nic1","tenant":"acme","name":"nic1","state":"reserving","origin":"allocated","operation":"01a200e8-bfc9-7000-8000-616491ba46cd","version":2,"state_since":"2026-11-22T01:39:43.177508152Z","created_at":"2026-11-22T01:39:43.150856945Z","updated_at":"2026-11-22T01:39:43.177508152Z","vm_id":"web1","network_id":"net1","device_id":0,"is_default":false}}');
INSERT INTO journal VALUES(14,'01a200e8-bfce-7000-8000-656491ba46cd','vm.state.running',1,'vm','web1',3,'acme','hypervisor','cloudbus/eu1',1795311583182638046,1795311583182806351,'01a200e8-bfb5-7000-8000-456491ba46cd','','','{"id":"01a200e8-bfce-7000-8000-656491ba46cd","action":"moved","kind":"vm","resource_id":"web1","tenant":"acme","trigger":"operation_succeeded","from":"starting","to":"running","from_origin":"stopped","operation":"01a200e8-bfb5-7000-8000-496491ba46cd","version":3,"time":"2026-11-22T01:39:43.182638046Z","since":"2026-11-22T01:39:43.157477368Z","actor":"hypervisor","resource":{"id":"web1","tenant":"acme","name":"web1","state":"running","version":3,"state_since":"2026-11-22T01:39:43.182638046Z","created_at":"2026-11-22T01:39:43.107927469Z","updated_at":"2026-11-22T01:39:43.182638046Z","cpus":2,"memory_mib":2048,"host_id":"host-1","ever_ran":true}}');
INSERT INTO journal VALUES(15,'01a200e8-bfd0-7000-8000-696491ba46cd','usage.vm.running.opened',1,'vm','web1',0,'acme','hypervisor','cloudbus/eu1',1795311583182638046,1795311583184621760,'01a200e8-bfb5-7000-8000-456491ba46cd','01a200e8-bfce-7000-8000-656491ba46cd','','{"what":"opened","meter":"vm.running","tenant":"acme","kind":"vm","resource_id":"web1","size":{"cpus":2,"memory_mib":2048},"opened_seq":14,"started_at":"2026-11-22T01:39:43.182638046Z"}');
INSERT INTO journal VALUES(16,'01a200e8-bfd2-7000-8000-6d6491ba46cd','volume.state.ready',1,'volume','root1',3,'acme','hypervisor','cloudbus/eu1',1795311583186199475,1795311583186436636,'01a200e8-bfc2-7000-8000-556491ba46cd','','','{"id":"01a200e8-bfd2-7000-8000-6d6491ba46cd","action":"moved","kind":"volume","resource_id":"root1","tenant":"acme","trigger":"operation_succeeded","from":"creating","to":"ready","from_origin":"allocated","operation":"01a200e8-bfc2-7000-8000-596491ba46cd","version":3,"time":"2026-11-22T01:39:43.186199475Z","since":"2026-11-22T01:39:43.170114163Z","actor":"hypervisor","resource":{"id":"root1","tenant":"acme","name":"root1","state":"ready","version":3,"state_since":"2026-11-22T01:39:43.186199475Z","created_at":"2026-11-22T01:39:43.135716103Z","updated_at":"2026-11-22T01:39:43.186199475Z","size_gib":40,"format":"qcow2","pool":"pool-1","path":"/volumes/root1","device_id":0,"was_created":true,"was_uploaded":false}}');
INSERT INTO journal VALUES(17,'01a200e8-bfd3-7000-8000-716491ba46cd','usage.volume.allocated.opened',1,'volume','root1',0,'acme','hypervisor','cloudbus/eu1',1795311583186199475,1795311583187860704,'01a200e8-bfc2-7000-8000-556491ba46cd','01a200e8-bfd2-7000-8000-6d6491ba46cd','','{"what":"opened","meter":"volume.allocated","tenant":"acme","kind":"volume","resource_id":"root1","size":{"gib":40},"opened_seq":16,"started_at":"2026-11-22T01:39:43.186199475Z"}');
INSERT INTO journal VALUES(18,'01a200e8-bfd5-7000-8000-756491ba46cd','nic.state.reserved',1,'nic','nic1',3,'acme','hypervisor','cloudbus/eu1',1795311583189326291,1795311583189550886,'01a200e8-bfc9-7000-8000-5d6491ba46cd','','','{"id":"01a200e8-bfd5-7000-8000-756491ba46cd","action":"moved","kind":"nic","resource_id":"nic1","tenant":"acme","trigger":"operation_succeeded","from":"reserving","to":"reserved","from_origin":"allocated","operation":"01a200e8-bfc9-7000-8000-616491ba46cd","version":3,"time":"2026-11-22T01:39:43.189326291Z","since":"2026-11-22T01:39:43.177508152Z","actor":"hypervisor","resource":{"id":"nic1","tenant":"acme","name":"nic1","state":"reserved","version":3,"state_since":"2026-11-22T01:39:43.189326291Z","created_at":"2026-11-22T01:39:43.150856945Z","updated_at":"2026-11-22T01:39:43.189326291Z","vm_id":"web1","network_id":"net1","device_id":0,"is_default":false,"mac":"02:00:3e:31:e7:40","ipv4":"10.49.231.198","ipv4_gateway":"10.49.231.1"}}');
INSERT INTO journal VALUES(19,'01a200e8-bfd6-7000-8000-796491ba46cd','usage.nic.reserved.opened',1,'nic','nic1',0,'acme','hypervisor','cloudbus/eu1',1795311583189326291,1795311583190500815,'01a200e8-bfc9-7000-8000-5d6491ba46cd','01a200e8-bfd5-7000-8000-756491ba46cd','','{"what":"opened","meter":"nic.reserved","tenant":"acme","kind":"nic","resource_id":"nic1","size":{},"opened_seq":18,"started_at":"2026-11-22T01:39:43.189326291Z"}');
INSERT INTO journal VALUES(20,'01a200e8-bfda-7000-8000-7d6491ba46cd','vm.state.running',1,'vm','db1',3,'globex','hypervisor','cloudbus/eu1',1795311583194195790,1795311583194394396,'01a200e8-bfbc-7000-8000-4d6491ba46cd','','','{"id":"01a200e8-bfda-7000-8000-7d6491ba46cd","action":"moved","kind":"vm","resource_id":"db1","tenant":"globex","trigger":"operation_succeeded","from":"starting","to":"running","from_origin":"stopped","operation":"01a200e8-bfbc-7000-8000-516491ba46cd","version":3,"time":"2026-11-22T01:39:43.19419579Z","since":"2026-11-22T01:39:43.16416036Z","actor":"hypervisor","resource":{"id":"db1","tenant":"globex","name":"db1","state":"running","version":3,"state_since":"2026-11-22T01:39:43.19419579Z","created_at":"2026-11-22T01:39:43.126733074Z","updated_at":"2026-11-22T01:39:43.19419579Z","cpus":8,"memory_mib":16384,"host_id":"host-7","ever_ran":true}}');
INSERT INTO journal VALUES(21,'01a200e8-bfdb-7000-8000-816491ba46cd','usage.vm.running.opened',1,'vm','db1',0,'globex','hypervisor','cloudbus/eu1',1795311583194195790,1795311583195061499,'01a200e8-bfbc-7000-8000-4d6491ba46cd','01a200e8-bfda-7000-8000-7d6491ba46cd','','{"what":"opened","meter":"vm.running","tenant":"globex","kind":"vm","resource_id":"db1","size":{"cpus":8,"memory_mib":16384},"opened_seq":20,"started_at":"2026-11-22T01:39:43.19419579Z"}');
INSERT INTO journal VALUES(22,'01a200e8-c3bb-7000-8000-896491ba46cd','vm.state.stopping',1,'vm','web1',4,'acme','user:ada','cloudbus/eu1',1795311584187225160,1795311584187625050,'01a200e8-c3bb-7000-8000-856491ba46cd','','','{"id":"01a200e8-c3bb-7000-8000-896491ba46cd","action":"moved","kind":"vm","resource_id":"web1","tenant":"acme","trigger":"stop_requested","from":"running","to":"stopping","origin":"running","operation":"01a200e8-c3bb-7000-8000-896491ba46cd","version":4,"time":"2026-11-22T01:39:44.18722516Z","since":"2026-11-22T01:39:43.182638046Z","actor":"user:ada","resource":{"id":"web1","tenant":"acme","name":"web1","state":"stopping","origin":"running","operation":"01a200e8-c3bb-7000-8000-896491ba46cd","version":4,"state_since":"2026-11-22T01:39:44.18722516Z","created_at":"2026-11-22T01:39:43.107927469Z","updated_at":"2026-11-22T01:39:44.18722516Z","cpus":2,"memory_mib":2048,"host_id":"host-1","ever_ran":true}}');
INSERT INTO journal VALUES(23,'01a200e8-c3d7-7000-8000-8d6491ba46cd','vm.state.stopped',1,'vm','web1',5,'acme','hypervisor','cloudbus/eu1',1795311584215858462,1795311584216237420,'01a200e8-c3bb-7000-8000-856491ba46cd','','','{"id":"01a200e8-c3d7-7000-8000-8d6491ba46cd","action":"moved","kind":"vm","resource_id":"web1","tenant":"acme","trigger":"operation_succeeded","from":"stopping","to":"stopped","from_origin":"running","operation":"01a200e8-c3bb-7000-8000-896491ba46cd","version":5,"time":"2026-11-22T01:39:44.215858462Z","since":"2026-11-22T01:39:44.18722516Z","actor":"hypervisor","resource":{"id":"web1","tenant":"acme","name":"web1","state":"stopped","version":5,"state_since":"2026-11-22T01:39:44.215858462Z","created_at":"2026-11-22T01:39:43.107927469Z","updated_at":"2026-11-22T01:39:44.215858462Z","cpus":2,"memory_mib":2048,"host_id":"host-1","ever_ran":true}}');
INSERT INTO journal VALUES(24,'01a200e8-c3da-7000-8000-916491ba46cd','usage.vm.running.closed',1,'vm','web1',0,'acme','hypervisor','cloudbus/eu1',1795311584215858462,1795311584218445572,'01a200e8-c3bb-7000-8000-856491ba46cd','01a200e8-c3d7-7000-8000-8d6491ba46cd','','{"what":"closed","meter":"vm.running","tenant":"acme","kind":"vm","resource_id":"web1","size":{"cpus":2,"memory_mib":2048},"opened_seq":14,"started_at":"2026-11-22T01:39:43.182638046Z","ended_at":"2026-11-22T01:39:44.215858462Z"}');
INSERT INTO journal VALUES(25,'01a200e8-c5ba-7000-8000-996491ba46cd','vm.state.expunging',1,'vm','web2',2,'acme','user:ada','cloudbus/eu1',1795311584698704942,1795311584699073742,'01a200e8-c5ba-7000-8000-956491ba46cd','','','{"id":"01a200e8-c5ba-7000-8000-996491ba46cd","action":"moved","kind":"vm","resource_id":"web2","tenant":"acme","trigger":"expunge_requested","from":"stopped","to":"expunging","origin":"stopped","operation":"01a200e8-c5ba-7000-8000-996491ba46cd","version":2,"time":"2026-11-22T01:39:44.698704942Z","since":"2026-11-22T01:39:43.118768625Z","actor":"user:ada","resource":{"id":"web2","tenant":"acme","name":"web2","state":"expunging","origin":"stopped","operation":"01a200e8-c5ba-7000-8000-996491ba46cd","version":2,"state_since":"2026-11-22T01:39:44.698704942Z","created_at":"2026-11-22T01:39:43.118768625Z","updated_at":"2026-11-22T01:39:44.698704942Z","cpus":4,"memory_mib":8192,"ever_ran":false}}');
INSERT INTO journal VALUES(26,'01a200e8-c5bc-7000-8000-9d6491ba46cd','usage.vm.allocated.closed',1,'vm','web2',0,'acme','user:ada','cloudbus/eu1',1795311584698704942,1795311584700472096,'01a200e8-c5ba-7000-8000-956491ba46cd','01a200e8-c5ba-7000-8000-996491ba46cd','','{"what":"closed","meter":"vm.allocated","tenant":"acme","kind":"vm","resource_id":"web2","size":{"cpus":4,"memory_mib":8192},"opened_seq":3,"started_at":"2026-11-22T01:39:43.118768625Z","ended_at":"2026-11-22T01:39:44.698704942Z"}');
INSERT INTO journal VALUES(27,'01a200e8-c5d1-7000-8000-a16491ba46cd','vm.state.expunged',1,'vm','web2',3,'acme','hypervisor','cloudbus/eu1',1795311584721426488,1795311584721692076,'01a200e8-c5ba-7000-8000-956491ba46cd','','','{"id":"01a200e8-c5d1-7000-8000-a16491ba46cd","action":"moved","kind":"vm","resource_id":"web2","tenant":"acme","trigger":"operation_succeeded","from":"expunging","to":"expunged","from_origin":"stopped","operation":"01a200e8-c5ba-7000-8000-996491ba46cd","version":3,"time":"2026-11-22T01:39:44.721426488Z","since":"2026-11-22T01:39:44.698704942Z","actor":"hypervisor","resource":{"id":"web2","tenant":"acme","name":"web2","state":"expunged","version":3,"state_since":"2026-11-22T01:39:44.721426488Z","created_at":"2026-11-22T01:39:43.118768625Z","updated_at":"2026-11-22T01:39:44.721426488Z","removed_at":"2026-11-22T01:39:44.721426488Z","cpus":4,"memory_mib":8192,"ever_ran":false}}');
INSERT INTO journal VALUES(28,'01a200e8-c834-7000-8000-0f1c0116437f','vm.state.starting',1,'vm','web1',6,'acme','user:ada','cloudbus/eu1',1795311585332385962,1795311585332766136,'01a200e8-c834-7000-8000-0b1c0116437f','','','{"id":"01a200e8-c834-7000-8000-0f1c0116437f","action":"moved","kind":"vm","resource_id":"web1","tenant":"acme","trigger":"start_requested","from":"stopped","to":"starting","origin":"stopped","operation":"01a200e8-c834-7000-8000-0f1c0116437f","version":6,"time":"2026-11-22T01:39:45.332385962Z","since":"2026-11-22T01:39:44.215858462Z","actor":"user:ada","resource":{"id":"web1","tenant":"acme","name":"web1","state":"starting","origin":"stopped","operation":"01a200e8-c834-7000-8000-0f1c0116437f","version":6,"state_since":"2026-11-22T01:39:45.332385962Z","created_at":"2026-11-22T01:39:43.107927469Z","updated_at":"2026-11-22T01:39:45.332385962Z","cpus":2,"memory_mib":2048,"host_id":"host-1","ever_ran":true}}');
CREATE TABLE journal_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
);
INSERT INTO journal_head VALUES(1,28);
CREATE TABLE journal_cursor (
    name       TEXT    PRIMARY KEY,
    seq        INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO journal_cursor VALUES('alerts',28,1795311585336087895);
INSERT INTO journal_cursor VALUES('bridge_nats',28,1795311585437125461);
INSERT INTO journal_cursor VALUES('hypervisor',28,1795311585436288085);
INSERT INTO journal_cursor VALUES('usage',28,1795311585334781136);
CREATE TABLE goose_kind_vm (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_kind_vm VALUES(1,0,1,'2026-11-22 01:39:42');
INSERT INTO goose_kind_vm VALUES(2,1,1,'2026-11-22 01:39:42');
CREATE TABLE vms (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    origin      TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    version     BIGINT  NOT NULL,
    state_since BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    removed_at  BIGINT  NOT NULL,
    cpus        BIGINT  NOT NULL,
    memory_mib  BIGINT  NOT NULL,
    hypervisor  TEXT    NOT NULL,
    guest_os    TEXT    NOT NULL,
    hostname    TEXT    NOT NULL,
    zone_id     TEXT    NOT NULL,
    host_id     TEXT    NOT NULL,
    template_id TEXT    NOT NULL,
    offering_id TEXT    NOT NULL,
    ever_ran    BOOLEAN NOT NULL
);
INSERT INTO vms VALUES('web1','acme','web1','starting','stopped','01a200e8-c834-7000-8000-0f1c0116437f',6,1795311585332385962,1795311583107927469,1795311585332385962,0,2,2048,'','','','','host-1','','',1);
INSERT INTO vms VALUES('web2','acme','web2','expunged','','',3,1795311584721426488,1795311583118768625,1795311584721426488,1795311584721426488,4,8192,'','','','','','','',0);
INSERT INTO vms VALUES('db1','globex','db1','running','','',3,1795311583194195790,1795311583126733074,1795311583194195790,0,8,16384,'','','','','host-7','','',1);
CREATE TABLE goose_kind_volume (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_kind_volume VALUES(1,0,1,'2026-11-22 01:39:42');
INSERT INTO goose_kind_volume VALUES(2,1,1,'2026-11-22 01:39:42');
CREATE TABLE volumes (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    origin       TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    version      BIGINT  NOT NULL,
    state_since  BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    removed_at   BIGINT  NOT NULL,
    size_gib     BIGINT  NOT NULL,
    format       TEXT    NOT NULL,
    zone_id      TEXT    NOT NULL,
    pool         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    vm_id        TEXT    NOT NULL,
    device_id    BIGINT  NOT NULL,
    template_id  TEXT    NOT NULL,
    snapshot_id  TEXT    NOT NULL,
    offering_id  TEXT    NOT NULL,
    was_created  BOOLEAN NOT NULL,
    was_uploaded BOOLEAN NOT NULL
);
INSERT INTO volumes VALUES('root1','acme','root1','ready','','',3,1795311583186199475,1795311583135716103,1795311583186199475,0,40,'qcow2','','pool-1','/volumes/root1','',0,'','','',1,0);
CREATE TABLE goose_kind_nic (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_kind_nic VALUES(1,0,1,'2026-11-22 01:39:42');
INSERT INTO goose_kind_nic VALUES(2,1,1,'2026-11-22 01:39:42');
CREATE TABLE nics (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    origin       TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    version      BIGINT  NOT NULL,
    state_since  BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    removed_at   BIGINT  NOT NULL,
    vm_id        TEXT    NOT NULL,
    network_id   TEXT    NOT NULL,
    device_id    BIGINT  NOT NULL,
    is_default   BOOLEAN NOT NULL,
    mac          TEXT    NOT NULL,
    ipv4         TEXT    NOT NULL,
    ipv4_gateway TEXT    NOT NULL,
    ipv6         TEXT    NOT NULL,
    ipv6_gateway TEXT    NOT NULL
);
INSERT INTO nics VALUES('nic1','acme','nic1','reserved','','',3,1795311583189326291,1795311583150856945,1795311583189326291,0,'web1','net1',0,0,'02:00:3e:31:e7:40','10.49.231.198','10.49.231.1','','');
CREATE TABLE goose_kind_network (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_kind_network VALUES(1,0,1,'2026-11-22 01:39:42');
INSERT INTO goose_kind_network VALUES(2,1,1,'2026-11-22 01:39:42');
CREATE TABLE networks (
    id                  TEXT   NOT NULL PRIMARY KEY,
    tenant              TEXT   NOT NULL,
    name                TEXT   NOT NULL,
    state               TEXT   NOT NULL,
    origin              TEXT   NOT NULL,
    operation           TEXT   NOT NULL,
    version             BIGINT NOT NULL,
    state_since         BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    removed_at          BIGINT NOT NULL,
    type                TEXT   NOT NULL,
    cidr                TEXT   NOT NULL,
    gateway             TEXT   NOT NULL,
    ipv6_cidr           TEXT   NOT NULL,
    ipv6_gateway        TEXT   NOT NULL,
    vlan                BIGINT NOT NULL,
    dns1                TEXT   NOT NULL,
    dns2                TEXT   NOT NULL,
    domain              TEXT   NOT NULL,
    zone_id             TEXT   NOT NULL,
    physical_network_id TEXT   NOT NULL,
    offering_id         TEXT   NOT NULL
);
INSERT INTO networks VALUES('net1','acme','net1','allocated','','',1,1795311583144362076,1795311583144362076,1795311583144362076,0,'','10.0.0.0/24','','','',0,'','','','','','');
CREATE TABLE goose_plugin_usage (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_plugin_usage VALUES(1,0,1,'2026-11-22 01:39:43');
INSERT INTO goose_plugin_usage VALUES(2,1,1,'2026-11-22 01:39:43');
CREATE TABLE usage_intervals (
    opened_seq  BIGINT NOT NULL,
    meter       TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    cpus        BIGINT NOT NULL,
    memory_mib  BIGINT NOT NULL,
    gib         BIGINT NOT NULL,
    units       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    closed_seq  BIGINT NOT NULL,
    PRIMARY KEY (opened_seq, meter)
);
INSERT INTO usage_intervals VALUES(1,'vm.allocated','acme','vm','web1',2,2048,0,0,1795311583107927469,0,0);
INSERT INTO usage_intervals VALUES(3,'vm.allocated','acme','vm','web2',4,8192,0,0,1795311583118768625,1795311584698704942,25);
INSERT INTO usage_intervals VALUES(5,'vm.allocated','globex','vm','db1',8,16384,0,0,1795311583126733074,0,0);
INSERT INTO usage_intervals VALUES(14,'vm.running','acme','vm','web1',2,2048,0,0,1795311583182638046,1795311584215858462,23);
INSERT INTO usage_intervals VALUES(16,'volume.allocated','acme','volume','root1',0,0,40,0,1795311583186199475,0,0);
INSERT INTO usage_intervals VALUES(18,'nic.reserved','acme','nic','nic1',0,0,0,0,1795311583189326291,0,0);
INSERT INTO usage_intervals VALUES(20,'vm.running','globex','vm','db1',8,16384,0,0,1795311583194195790,0,0);
CREATE TABLE goose_plugin_alerts (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_plugin_alerts VALUES(1,0,1,'2026-11-22 01:39:43');
INSERT INTO goose_plugin_alerts VALUES(2,1,1,'2026-11-22 01:39:43');
CREATE TABLE alerts (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    severity    TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    raised_at   BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    cleared_at  BIGINT NOT NULL
);
CREATE TABLE alerts_pending (
    kind        TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    PRIMARY KEY (kind, resource_id)
);
INSERT INTO alerts_pending VALUES('vm','web1','acme','starting',1795311585332385962,1795312185332385962,28);
CREATE TABLE alerts_outcomes (
    kind       TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    succeeded  BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    PRIMARY KEY (kind, started_at)
);
INSERT INTO alerts_outcomes VALUES('vm',1795311580000000000,4,0);
INSERT INTO alerts_outcomes VALUES('volume',1795311580000000000,1,0);
INSERT INTO alerts_outcomes VALUES('nic',1795311580000000000,1,0);
CREATE TABLE alerts_position (
    name TEXT   NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL
);
INSERT INTO alerts_position VALUES('alerts',28);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('goose_journal',2);
INSERT INTO sqlite_sequence VALUES('goose_kind_vm',2);
INSERT INTO sqlite_sequence VALUES('goose_kind_volume',2);
INSERT INTO sqlite_sequence VALUES('goose_kind_nic',2);
INSERT INTO sqlite_sequence VALUES('goose_kind_network',2);
INSERT INTO sqlite_sequence VALUES('goose_plugin_usage',2);
INSERT INTO sqlite_sequence VALUES('goose_plugin_alerts',2);
CREATE INDEX journal_by_resource ON journal (kind, resource_id, seq);
CREATE INDEX journal_by_tenant ON journal (tenant, seq);
CREATE INDEX journal_by_type ON journal (type, seq);
CREATE INDEX journal_by_correlation ON journal (correlation_id);
CREATE INDEX vms_tenant ON vms (tenant, id);
CREATE INDEX vms_state ON vms (state);
CREATE INDEX vms_host ON vms (host_id);
CREATE INDEX volumes_tenant ON volumes (tenant, id);
CREATE INDEX volumes_state ON volumes (state);
CREATE INDEX volumes_vm ON volumes (vm_id);
CREATE INDEX nics_tenant ON nics (tenant, id);
CREATE INDEX nics_state ON nics (state);
CREATE INDEX nics_vm ON nics (vm_id);
CREATE INDEX nics_network ON nics (network_id);
CREATE INDEX networks_tenant ON networks (tenant, id);
CREATE INDEX networks_state ON networks (state);
CREATE INDEX usage_intervals_resource ON usage_intervals (kind, resource_id, closed_seq);
CREATE INDEX usage_intervals_tenant ON usage_intervals (tenant, meter, started_at);
CREATE UNIQUE INDEX alerts_active ON alerts (name, kind, resource_id) WHERE cleared_at = 0;
CREATE INDEX alerts_resource ON alerts (kind, resource_id, id);
CREATE INDEX alerts_pending_due ON alerts_pending (due_at);
COMMIT;
