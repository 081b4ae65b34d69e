import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.admin.UserScramCredentialsDescription;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;

/** What an administrator of users and access rules may rely on, against a server that goes by rules and lets everyone change them. */
final class Acls {
    private final Client client;

    Acls(Client client) {
        this.client = client;
    }

    /** Rules and users are created, described and deleted; what is there outlives a kill of the server. */
    void administer() throws Exception {
        AclBinding literal = binding(ResourceType.TOPIC, "store.orders", PatternType.LITERAL, AclOperation.READ, AclPermissionType.ALLOW);
        AclBinding prefixed = binding(ResourceType.TOPIC, "store.", PatternType.PREFIXED, AclOperation.WRITE, AclPermissionType.DENY);
        AclBinding every = binding(ResourceType.GROUP, "*", PatternType.LITERAL, AclOperation.ALL, AclPermissionType.ALLOW);
        AclBinding cluster =
            binding(ResourceType.CLUSTER, "kafka-cluster", PatternType.LITERAL, AclOperation.IDEMPOTENT_WRITE, AclPermissionType.ALLOW);
        AclBinding id =
            binding(ResourceType.TRANSACTIONAL_ID, "pay-", PatternType.PREFIXED, AclOperation.DESCRIBE, AclPermissionType.ALLOW);
        try (Admin admin = client.admin()) {
            admin.createAcls(List.of(literal, prefixed, every, cluster, id)).all().get();
            expectFailure(
                () -> admin.createAcls(List.of(binding(
                    ResourceType.CLUSTER, "other", PatternType.LITERAL, AclOperation.ALTER, AclPermissionType.ALLOW))).all().get(),
                InvalidRequestException.class);
            expect(describe(admin, AclBindingFilter.ANY), List.of(literal, prefixed, every, cluster, id));
            expect(describe(admin, applying("store.orders")), List.of(literal, prefixed));
            expect(describe(admin, applying("store.other")), List.of(prefixed));
            expect(
                describe(admin, new AclBindingFilter(
                    ResourcePatternFilter.ANY,
                    new AccessControlEntryFilter("User:ann", null, AclOperation.ANY, AclPermissionType.DENY))),
                List.of(prefixed));
            Collection<AclBinding> gone = admin.deleteAcls(List.of(applying("store.other"))).all().get();
            expect(gone, List.of(prefixed));

            alter(admin, upsertion("ann", ScramMechanism.SCRAM_SHA_256), upsertion("bob", ScramMechanism.SCRAM_SHA_512));
            alter(admin, upsertion("ann", ScramMechanism.SCRAM_SHA_512));
            expectUsers(admin, "[ann=SCRAM_SHA_256:8192 SCRAM_SHA_512:8192, bob=SCRAM_SHA_512:8192]");
            alter(admin, new UserScramCredentialDeletion("bob", ScramMechanism.SCRAM_SHA_512));
            expectFailure(
                () -> alter(admin, new UserScramCredentialDeletion("bob", ScramMechanism.SCRAM_SHA_512)),
                ResourceNotFoundException.class);
        }
        Client.askToKillServer();
        try (Admin admin = client.admin()) {
            expect(describe(admin, AclBindingFilter.ANY), List.of(literal, every, cluster, id));
            expectUsers(admin, "[ann=SCRAM_SHA_256:8192 SCRAM_SHA_512:8192]");
            admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get();
            expect(describe(admin, AclBindingFilter.ANY), List.of());
        }
        Client.say("{\"rules\":5,\"users\":2}");
    }

    private static AclBinding binding(
            ResourceType type, String name, PatternType pattern, AclOperation operation, AclPermissionType permission) {
        return new AclBinding(
            new ResourcePattern(type, name, pattern), new AccessControlEntry("User:ann", "*", operation, permission));
    }

    private static AclBindingFilter applying(String topic) {
        return new AclBindingFilter(
            new ResourcePatternFilter(ResourceType.TOPIC, topic, PatternType.MATCH), AccessControlEntryFilter.ANY);
    }

    private static Collection<AclBinding> describe(Admin admin, AclBindingFilter filter) throws Exception {
        return admin.describeAcls(filter).values().get();
    }

    private static UserScramCredentialUpsertion upsertion(String name, ScramMechanism mechanism) {
        return new UserScramCredentialUpsertion(name, new ScramCredentialInfo(mechanism, 8192), "secret of " + name);
    }

    private static void alter(Admin admin, UserScramCredentialAlteration... alterations) throws Exception {
        admin.alterUserScramCredentials(List.of(alterations)).all().get();
    }

    private static void expectUsers(Admin admin, String expected) throws Exception {
        TreeSet<String> found = new TreeSet<>();
        for (UserScramCredentialsDescription user : admin.describeUserScramCredentials().all().get().values()) {
            List<String> mechanisms = new ArrayList<>();
            user.credentialInfos().forEach(info -> mechanisms.add(info.mechanism() + ":" + info.iterations()));
            mechanisms.sort(null);
            found.add(user.name() + "=" + String.join(" ", mechanisms));
        }
        if (!found.toString().equals(expected)) {
            throw new AssertionError("users " + found + " instead of " + expected);
        }
    }

    private static void expect(Collection<AclBinding> found, List<AclBinding> expected) {
        if (found.size() != expected.size() || !found.containsAll(expected)) {
            throw new AssertionError("rules " + found + " instead of " + expected);
        }
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void expectFailure(Action action, Class<? extends Exception> expected) throws Exception {
        try {
            action.run();
        } catch (ExecutionException failure) {
            if (expected.isInstance(failure.getCause())) {
                return;
            }
            throw failure;
        }
        throw new AssertionError("no " + expected.getSimpleName());
    }
}
